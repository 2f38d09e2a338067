// SPDX-License-Identifier: Apache-2.0
#include "witness.h"

#include "durable_file.h"
#include "json_number.h"
#include "partial_backup.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/update_file.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr std::int64_t witness_format = 1;
constexpr std::size_t witness_bytes_max = std::size_t{4} << 20;

std::filesystem::path witness_path(const Repository& repository) {
  constexpr std::size_t digits = 32;
  const std::string name = to_hex(crypto::sha256(as_bytes(source_name(repository.path())))).substr(0, digits);
  return repository.witness_folder() / (name + ".json");
}

/// One that cannot be read remembers nothing.
Json parse(const std::string& text) {
  try {
    Json json = parse_json(text, "witness");
    if (json.is_object() && json.value("format", std::int64_t{0}) == witness_format) return json;
  } catch (const ValidationError&) {
    return Json::object();
  } catch (const nlohmann::json::exception&) {
    return Json::object();
  }
  return Json::object();
}

Json read_witness(const Repository& repository) {
  if (repository.witness_folder().empty()) return Json::object();
  try {
    return parse(read_small_file(witness_path(repository), witness_bytes_max));
  } catch (const Error&) {
    return Json::object();
  }
}

template <class Value>
Value field(const Json& json, const char* name, Value otherwise) {
  try {
    return json.value(name, otherwise);
  } catch (const nlohmann::json::exception&) {
    return otherwise;
  }
}

Json json_of(const Manifest& manifest) {
  Json json = {{"encrypted", manifest.is_encrypted()}};
  if (manifest.line) json["line"] = manifest.line->to_string();
  if (manifest.source.file) {
    json["inode"] = manifest.source.file->inode;
    json["born_at_ns"] = manifest.source.file->born_at_ns;
  }
  return json;
}

}  // namespace

std::optional<WitnessedDatabase> witnessed_database(const Repository& repository, std::string_view source) {
  const Json witness = read_witness(repository);
  try {
    const auto databases = witness.find("databases");
    if (databases == witness.end() || !databases->contains(source)) return std::nullopt;
    const Json& json = databases->at(std::string(source));
    WitnessedDatabase database;
    database.is_encrypted = json.value("encrypted", false);
    if (json.contains("line")) database.line = LineId::parse(json.at("line").get<std::string>());
    if (json.contains("inode")) {
      database.file =
          FileIdentity{json.at("inode").get<std::uint64_t>(), json.at("born_at_ns").get<std::int64_t>()};
    }
    return database;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const ValidationError&) {
    return std::nullopt;
  }
}

std::int64_t witnessed_sequence(const Repository& repository) {
  const std::int64_t sequence = field(read_witness(repository), "sequence", std::int64_t{0});
  return std::clamp<std::int64_t>(sequence, 0, sequence_max);
}

WitnessedCatalogue witnessed_catalogue(const Repository& repository) {
  const Json witness = read_witness(repository);
  return {field(witness, "sequence", std::int64_t{0}), field(witness, "catalogue", std::string()),
          field(witness, "begun", std::int64_t{0}), field(witness, "at", std::string())};
}

std::string reason_to_miss(const Repository& repository) {
  const WitnessedCatalogue seen = witnessed_catalogue(repository);
  if (seen.sequence == 0) return {};
  return reason_to_miss(repository, seen, Catalogue::read(repository, seen.line));
}

std::string reason_to_miss(const Repository& repository, const WitnessedCatalogue& seen,
                           const Catalogue& catalogue) {
  if (seen.sequence == 0) return {};
  if (catalogue.highest_sequence() < seen.sequence) {
    return fmt::format(
        "this machine has seen backup number {} in {} (on {}), and the last one there now is number {}: "
        "an earlier state of the repository was put back, or it was emptied",
        seen.sequence, repository.path().string(), seen.at, catalogue.highest_sequence());
  }
  if (catalogue.times_begun() == seen.begun && !catalogue.has_watched_line()) {
    return fmt::format(
        "the catalogue of {} does not go on from what this machine saw there on {}: an earlier state of "
        "the repository was put back and written to, or somebody wrote the catalogue anew",
        repository.path().string(), seen.at);
  }
  return {};
}

void require_not_put_back(const Repository& repository, const std::optional<Manifest>& newest) {
  const std::string reason = reason_to_miss(repository);
  if (reason.empty()) return;
  const std::string repair =
      fmt::format("nerve-db backup repair --repo {}", shell_word(repository.path().string()));
  throw IntegrityError(
      reason,
      newest
          ? fmt::format("Look for the newer backups, such as in the folder of --also. To use the newest that "
                        "is here, give its id: {}. If you know why: {}.",
                        newest->id.short_text(), repair)
          : fmt::format("Look for the backups, such as in the folder of --also. If you know why: {}.",
                        repair));
}

void forget_witness(const Repository& repository) {
  if (!repository.witness_folder().empty()) remove_if_there(witness_path(repository));
}

void remember(const Repository& repository, const Catalogue& catalogue, const Manifest* made) {
  if (repository.witness_folder().empty()) return;
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::symlink_status(witness_path(repository), error);
  // What is no file would be waited for.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return;
  try {
    make_folders(repository.witness_folder());
    const FileUpdate options{.size_bytes_max = witness_bytes_max, .hint = {}};
    update_file(witness_path(repository), options, [&](const std::optional<std::string>& before) {
      Json witness = before ? parse(*before) : Json::object();
      witness["format"] = witness_format;
      witness["repository"] = source_name(repository.path());
      witness["sequence"] = catalogue.highest_sequence();
      witness["catalogue"] = catalogue.last_hash();
      witness["begun"] = catalogue.times_begun();
      if (made != nullptr) {
        witness["at"] = made->created_at.to_text();
        if (!witness["databases"].is_object()) witness["databases"] = Json::object();
        witness["databases"][made->source.path] = json_of(*made);
      }
      return witness.dump(2) + "\n";
    });
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

}  // namespace nerve::backups
