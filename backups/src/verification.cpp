// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/verification.h"

#include "durable_file.h"
#include "file_identity.h"
#include "layout.h"
#include "partial_backup.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string>

namespace nerve::backups {
namespace {

constexpr std::int64_t verification_format = 1;
constexpr std::size_t verification_bytes_max = 4096;
constexpr std::array proofs = {Proof::hashes, Proof::deep, Proof::restore};

Verification parse_verification(const std::string& text, const std::string& name, const BackupId& id) {
  const Json document = parse_json(text, name);
  const auto field = [&](const char* key) { return document.at(key).get<std::string>(); };
  if (document.at("format") != verification_format || field("backup") != id.to_string()) {
    throw IntegrityError(fmt::format("{} is not a note of this backup", name));
  }
  for (const Proof proof : proofs) {
    if (field("proof") != to_string(proof)) continue;
    Verification verification{Timestamp::parse(field("verified_at")), proof};
    if (document.contains("restored_to")) {
      const Json& restored = document.at("restored_to");
      verification.restored_to = restored.at("path").get<std::string>();
      verification.restored_file = FileIdentity{restored.at("inode").get<std::uint64_t>(),
                                                restored.at("born_at_ns").get<std::int64_t>()};
    }
    return verification;
  }
  throw IntegrityError(fmt::format("{} names a proof that is not known", name));
}

void write(const Repository& repository, const BackupId& id, const Verification& verification) {
  Json document = {{"format", verification_format},
                   {"backup", id.to_string()},
                   {"verified_at", verification.verified_at.to_text()},
                   {"proof", to_string(verification.proof)}};
  if (verification.restored_file) {
    document["restored_to"] = {{"path", verification.restored_to},
                               {"inode", verification.restored_file->inode},
                               {"born_at_ns", verification.restored_file->born_at_ns}};
  }
  write_note(repository, id, verification_file_name, document.dump(2) + "\n");
}

}  // namespace

std::string_view to_string(Proof proof) noexcept {
  switch (proof) {
    case Proof::hashes:
      return "hashes";
    case Proof::deep:
      return "deep";
    case Proof::restore:
      return "restore";
  }
  return "hashes";
}

void record_verification(const Repository& repository, const BackupId& id, Proof proof, const Clock& clock) {
  const std::optional<Verification> before = last_verification(repository, id);
  Verification verification = before.value_or(Verification{});
  verification.verified_at = clock.now();
  verification.proof = proof;
  write(repository, id, verification);
}

void record_restore(const Repository& repository, const BackupId& id, const std::filesystem::path& target,
                    const Clock& clock) {
  write(repository, id, {clock.now(), Proof::restore, source_name(target), identity_of(target)});
}

std::optional<Verification> last_verification(const Repository& repository, const BackupId& id) {
  const std::filesystem::path path = repository.folder_of(id) / verification_file_name;
  try {
    return parse_verification(read_small_file(path, verification_bytes_max), path.string(), id);
  } catch (const Error&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace nerve::backups
