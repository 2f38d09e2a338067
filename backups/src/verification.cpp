// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/verification.h"

#include "durable_file.h"
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
    if (field("proof") == to_string(proof)) return {Timestamp::parse(field("verified_at")), proof};
  }
  throw IntegrityError(fmt::format("{} names a proof that is not known", name));
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
  const Json document = {{"format", verification_format},
                         {"backup", id.to_string()},
                         {"verified_at", clock.now().to_text()},
                         {"proof", to_string(proof)}};
  write_note(repository, id, verification_file_name, document.dump(2) + "\n");
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
