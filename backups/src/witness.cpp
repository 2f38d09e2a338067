// SPDX-License-Identifier: Apache-2.0
#include "witness.h"

#include "durable_file.h"
#include "json_number.h"
#include "partial_backup.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/update_file.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

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

std::string witnessed_line(const Repository& repository) {
  return field(read_witness(repository), "catalogue", std::string());
}

std::string reason_to_miss(const Repository& repository) {
  if (witnessed_sequence(repository) == 0) return {};
  return reason_to_miss(repository, Catalogue::read(repository.path(), nullptr, witnessed_line(repository)));
}

std::string reason_to_miss(const Repository& repository, const Catalogue& catalogue) {
  const Json witness = read_witness(repository);
  const std::int64_t sequence = field(witness, "sequence", std::int64_t{0});
  if (sequence == 0) return {};
  const std::string at = field(witness, "at", std::string());
  if (catalogue.highest_sequence() < sequence) {
    return fmt::format(
        "this machine has seen backup number {} in {} (on {}), and the last one there now is number {}: "
        "an earlier state of the repository was put back, or it was emptied",
        sequence, repository.path().string(), at, catalogue.highest_sequence());
  }
  const bool is_same_file = catalogue.times_begun() == field(witness, "begun", std::int64_t{0});
  if (is_same_file && !catalogue.has_watched_line()) {
    return fmt::format(
        "the catalogue of {} does not go on from what this machine saw there on {}: an earlier state of "
        "the repository was put back and written to, or somebody wrote the catalogue anew",
        repository.path().string(), at);
  }
  return {};
}

void forget_witness(const Repository& repository) {
  if (!repository.witness_folder().empty()) remove_if_there(witness_path(repository));
}

void remember(const Repository& repository, const Catalogue& catalogue, const Manifest* made) {
  if (repository.witness_folder().empty()) return;
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
