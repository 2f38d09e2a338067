// SPDX-License-Identifier: Apache-2.0
#include "witness.h"

#include "durable_file.h"
#include "json_number.h"
#include "partial_backup.h"
#include "repository_folder.h"

#include "nerve/backups/replication.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/update_file.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr std::int64_t witness_format = 1;
constexpr std::size_t witness_bytes_max = std::size_t{4} << 20;

std::filesystem::path witness_path(const std::filesystem::path& repository,
                                   const std::filesystem::path& witness_folder) {
  constexpr std::size_t digits = 32;
  const std::string name = to_hex(crypto::sha256(as_bytes(source_name(repository)))).substr(0, digits);
  return witness_folder / (name + ".json");
}

std::filesystem::path witness_path(const Repository& repository) {
  return witness_path(repository.path(), repository.witness_folder());
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

Json read_witness(const std::filesystem::path& repository, const std::filesystem::path& witness_folder) {
  if (witness_folder.empty()) return Json::object();
  try {
    return parse(read_small_file(witness_path(repository, witness_folder), witness_bytes_max));
  } catch (const Error&) {
    return Json::object();
  }
}

Json read_witness(const Repository& repository) {
  return read_witness(repository.path(), repository.witness_folder());
}

template <class Value>
Value field(const Json& json, const char* name, Value otherwise) {
  try {
    return json.value(name, otherwise);
  } catch (const nlohmann::json::exception&) {
    return otherwise;
  }
}

std::set<std::string> copies_in(const Json& witness) {
  return field(witness, "copies", std::set<std::string>());
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

std::vector<std::string> encrypted_sources(const Json& witness) {
  std::vector<std::string> sources;
  const auto databases = witness.find("databases");
  if (databases == witness.end() || !databases->is_object()) return sources;
  for (const auto& [source, database] : databases->items()) {
    if (database.is_object() && field(database, "encrypted", false)) sources.push_back(source);
  }
  return sources;
}

/// The first of these databases that has backups in the catalogue, none of which was stored with a key.
std::optional<std::string> without_keys(const std::vector<std::string>& sources, const Catalogue& catalogue) {
  std::set<std::string> plain;
  std::set<std::string> encrypted;
  for (const auto& [id, expected] : catalogue.expectations()) {
    for (const CatalogueLine& line : expected.lines)
      (line.key.empty() ? plain : encrypted).insert(line.source);
  }
  const auto found = std::ranges::find_if(sources, [&](const std::string& source) {
    return plain.contains(source) && !encrypted.contains(source);
  });
  return found == sources.end() ? std::nullopt : std::optional(*found);
}

/// Replaces the witness by what `change` makes of it. That it cannot be is no error.
template <class Change>
void update_witness(const Repository& repository, const Change& change) {
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
      change(witness);
      return witness.dump(2) + "\n";
    });
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

/// Where the newer backups may be.
std::string place_of_copies(const Repository& repository) {
  const std::set<std::string> folders = remembered_copies(repository.path(), repository.witness_folder());
  if (folders.empty()) return "such as in the folder of --also";
  return fmt::format("such as in the copies in {}: nerve-db backup list --repo {}",
                     fmt::join(folders, " and "), shell_word(*folders.begin()));
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
          field(witness, "begun", std::int64_t{0}), field(witness, "at", std::string()),
          encrypted_sources(witness)};
}

std::string reason_to_miss(const Repository& repository) {
  const WitnessedCatalogue seen = witnessed_catalogue(repository);
  if (seen.sequence == 0) return {};
  return reason_to_miss(repository, seen, Catalogue::read(repository, seen.line));
}

std::string reason_to_miss(const Repository& repository, const WitnessedCatalogue& seen,
                           const Catalogue& catalogue) {
  if (seen.sequence == 0) return {};
  if (!catalogue.is_there() && !backup_names(repository.path()).empty()) {
    return fmt::format("the catalogue of {} is gone, so it is not known which backups are missing",
                       repository.path().string());
  }
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
  if (const auto source = without_keys(seen.encrypted_sources, catalogue)) {
    return fmt::format(
        "the backups of {} in {} were encrypted when this machine saw them on {}, and none there is now: "
        "somebody put others in their place",
        *source, repository.path().string(), seen.at);
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
          ? fmt::format("Look for the newer backups, {}. To use the newest that is here, give its id: {}. If "
                        "you know why: {}.",
                        place_of_copies(repository), newest->id.short_text(), repair)
          : fmt::format("Look for the backups, {}. If you know why: {}.", place_of_copies(repository),
                        repair));
}

void remember_copies_in(const Repository& repository, const std::string& folder) {
  std::set<std::string> folders = remembered_copies(repository.path(), repository.witness_folder());
  if (folders.contains(folder)) return;
  update_witness(repository, [&](Json& witness) {
    folders = copies_in(witness);
    folders.insert(folder);
    witness["copies"] = folders;
  });
}

std::set<std::string> remembered_copies(const std::filesystem::path& repository,
                                        const std::filesystem::path& witness_folder) {
  return copies_in(read_witness(repository, witness_folder));
}

std::string hint_of_copies(const std::filesystem::path& repository,
                           const std::filesystem::path& witness_folder) {
  const std::set<std::string> folders = remembered_copies(repository, witness_folder);
  if (folders.empty()) return {};
  return fmt::format("Copies of it were made in {}: nerve-db backup list --repo {}.",
                     fmt::join(folders, " and "), shell_word(*folders.begin()));
}

bool forget_witness(const Repository& repository) {
  if (repository.witness_folder().empty()) return false;
  const bool has_seen = witnessed_sequence(repository) > 0;
  const std::set<std::string> folders = remembered_copies(repository.path(), repository.witness_folder());
  remove_if_there(witness_path(repository));
  for (const std::string& folder : folders) remember_copies_in(repository, folder);
  return has_seen;
}

void remember(const Repository& repository, const Catalogue& catalogue, const Manifest* made) {
  update_witness(repository, [&](Json& witness) {
    witness["sequence"] = catalogue.highest_sequence();
    witness["catalogue"] = catalogue.last_hash();
    witness["begun"] = catalogue.times_begun();
    if (made == nullptr) return;
    witness["at"] = made->created_at.to_text();
    if (!witness["databases"].is_object()) witness["databases"] = Json::object();
    witness["databases"][made->source.path] = json_of(*made);
  });
}

}  // namespace nerve::backups
