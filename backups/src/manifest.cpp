// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/manifest.h"

#include "layout.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace nerve::backups {
namespace {

constexpr const char* hint_when_damaged =
    "Use another backup, or compare the file with a copy of this repository.";

std::string hash_of(const Json& manifest_without_hash) {
  return to_hex(crypto::sha256(as_bytes(to_canonical_text(manifest_without_hash))));
}

Json to_json(const StoredFile& file) {
  Json json = {{"name", file.name}, {"size_bytes", file.size_bytes}};
  if (!file.sha256.empty()) json["sha256"] = file.sha256;
  return json;
}

/// What an authentication covers.
Json without_code(Json manifest) {
  if (const auto found = manifest.find("authentication"); found != manifest.end()) found->erase("code");
  return manifest;
}

Json to_json(const ContainerFacts& container) {
  Json json = {{"generation", container.generation.to_string()},
               {"parent", container.parent ? Json(container.parent->to_string()) : Json()},
               {"depth", container.depth},
               {"stored_pages", container.stored_pages},
               {"encrypted", container.is_encrypted}};
  if (container.consolidated_from) json["consolidated_from"] = container.consolidated_from->to_string();
  return json;
}

ContainerFacts parse_container_facts(const Json& json) {
  ContainerFacts facts;
  facts.generation = BackupId::parse(json.at("generation").get<std::string>());
  if (!json.at("parent").is_null()) facts.parent = BackupId::parse(json.at("parent").get<std::string>());
  facts.depth = json.at("depth").get<std::int64_t>();
  facts.stored_pages = json.at("stored_pages").get<std::int64_t>();
  facts.is_encrypted = json.at("encrypted").get<bool>();
  if (json.contains("consolidated_from")) {
    facts.consolidated_from = BackupId::parse(json.at("consolidated_from").get<std::string>());
  }
  return facts;
}

Json to_json(const SetFacts& set) {
  return {{"id", set.id.to_string()}, {"role", set.role}, {"roles", set.roles}};
}

SetFacts parse_set_facts(const Json& json) {
  return {SetId::parse(json.at("id").get<std::string>()), json.at("role").get<std::string>(),
          json.at("roles").get<std::vector<std::string>>()};
}

Json to_json(const Authentication& authentication) {
  Json json = {{"key", authentication.key}};
  if (!authentication.code.empty()) json["code"] = authentication.code;
  return json;
}

Authentication parse_authentication(const Json& json) {
  return {json.at("key").get<std::string>(), json.at("code").get<std::string>()};
}

template <class Enum>
Enum parse_word(const Json& word, std::initializer_list<Enum> values, std::string_view name) {
  for (const Enum value : values) {
    if (word.get<std::string>() == to_string(value)) return value;
  }
  throw IntegrityError(fmt::format("{} holds a state or kind that its format does not have", name),
                       hint_when_damaged);
}

/// A name out of a manifest becomes a path, so only those that the format knows are let through.
StoredFile parse_stored_file(const Json& json, std::initializer_list<std::string_view> names,
                             std::string_view manifest_name) {
  StoredFile file{json.at("name").get<std::string>(), json.at("size_bytes").get<std::uint64_t>(),
                  json.value("sha256", std::string())};
  if (std::find(names.begin(), names.end(), file.name) == names.end()) {
    throw IntegrityError(fmt::format("{} names a file that its format does not have", manifest_name),
                         hint_when_damaged);
  }
  return file;
}

SqliteFacts parse_sqlite_facts(const Json& json) {
  SqliteFacts facts;
  facts.library_version = json.at("library_version").get<std::string>();
  facts.page_size_bytes = json.at("page_size_bytes").get<std::int64_t>();
  facts.page_count = json.at("page_count").get<std::int64_t>();
  facts.user_version = json.at("user_version").get<std::int64_t>();
  facts.application_id = json.at("application_id").get<std::int64_t>();
  facts.encoding = json.at("encoding").get<std::string>();
  facts.schema_sha256 = json.at("schema_sha256").get<std::string>();
  return facts;
}

Manifest from_json(const Json& json, std::string_view name) {
  Manifest manifest;
  manifest.id = BackupId::parse(json.at("id").get<std::string>());
  manifest.created_at = Timestamp::parse(json.at("created_at").get<std::string>());
  manifest.program_version = json.at("program_version").get<std::string>();
  manifest.state = parse_word(json.at("state"), {State::good, State::damaged}, name);
  manifest.kind = parse_word(json.at("kind"), {Kind::manual, Kind::safety}, name);
  manifest.is_emptied = json.value("emptied", false);
  const Json& source = json.at("source");
  manifest.source.path = source.at("path").get<std::string>();
  manifest.source.size_bytes = source.at("size_bytes").get<std::uint64_t>();
  manifest.source.journal_mode = source.at("journal_mode").get<std::string>();
  manifest.source.mode = source.value("mode", std::string());
  if (source.contains("file")) {
    manifest.source.file = FileIdentity{source.at("file").at("inode").get<std::uint64_t>(),
                                        source.at("file").at("born_at_ns").get<std::int64_t>()};
  }
  if (json.contains("line")) manifest.line = LineId::parse(json.at("line").get<std::string>());
  manifest.sqlite = parse_sqlite_facts(json.at("sqlite"));
  if (json.contains("set")) manifest.set = parse_set_facts(json.at("set"));
  if (json.contains("container")) manifest.container = parse_container_facts(json.at("container"));
  manifest.file =
      manifest.container
          ? parse_stored_file(json.at("file"), {container_file_name, sealed_container_file_name}, name)
          : parse_stored_file(json.at("file"), {database_file_name}, name);
  for (const Json& companion : json.at("companions")) {
    manifest.companions.push_back(parse_stored_file(companion, {wal_file_name, journal_file_name}, name));
  }
  for (const Json& table : json.at("tables")) {
    manifest.tables.push_back({table.at("name").get<std::string>(), table.at("rows").get<std::int64_t>()});
  }
  manifest.sequence = json.value("sequence", std::int64_t{0});
  manifest.has_rows = json.value("has_rows", manifest.rows_total().value_or(0) > 0);
  const Json& checks = json.at("checks");
  manifest.checks.source = checks.at("source").get<std::string>();
  manifest.checks.copy = checks.at("copy").get<std::string>();
  manifest.checks.foreign_key_violations = checks.at("foreign_key_violations").get<std::int64_t>();
  manifest.duration_ms = json.at("duration_ms").get<std::int64_t>();
  return manifest;
}

/// The format comes before the hash, so that a later format may define its hash differently.
void require_known_format(const Json& json, std::string_view name) {
  const auto format = json.find("format");
  if (format == json.end() || !format->is_number_integer()) {
    throw IntegrityError(fmt::format("{} is not a manifest: it has no format number", name),
                         hint_when_damaged);
  }
  const auto version = format->get<std::int64_t>();
  if (version != format_version && version != container_manifest_version) {
    throw UnsupportedError(fmt::format("{} has format {}, and this program knows formats {} and {}", name,
                                       version, format_version, container_manifest_version),
                           "Use the version of nerve-db that made this backup, or a newer one.");
  }
}

void require_own_hash(Json& json, std::string_view name) {
  const auto hash = json.find("manifest_sha256");
  if (hash == json.end() || !hash->is_string()) {
    throw IntegrityError(fmt::format("{} has no hash of its own", name), hint_when_damaged);
  }
  const auto claimed = hash->get<std::string>();
  json.erase(hash);
  if (hash_of(json) != claimed) {
    throw IntegrityError(fmt::format("{} was altered: it does not match its own hash", name),
                         hint_when_damaged);
  }
}

}  // namespace

std::string mode_text(unsigned int mode) {
  return fmt::format("{:04o}", mode);
}

std::string_view to_string(State state) noexcept {
  return state == State::good ? "good" : "damaged";
}

std::string_view to_string(Kind kind) noexcept {
  return kind == Kind::manual ? "manual" : "safety";
}

std::optional<std::int64_t> Manifest::rows_total() const noexcept {
  if (tables.empty() && (has_rows || container)) return std::nullopt;
  return std::accumulate(tables.begin(), tables.end(), std::int64_t{0},
                         [](std::int64_t sum, const TableRows& table) { return sum + table.rows; });
}

std::uint64_t Manifest::database_bytes() const noexcept {
  if (!container) return file.size_bytes;
  return static_cast<std::uint64_t>(sqlite.page_size_bytes) * static_cast<std::uint64_t>(sqlite.page_count);
}

Json Manifest::to_json() const {
  Json companion_list = Json::array();
  for (const StoredFile& companion : companions) companion_list.push_back(backups::to_json(companion));
  Json table_list = Json::array();
  for (const TableRows& table : tables) table_list.push_back({{"name", table.name}, {"rows", table.rows}});
  Json json = {{"format", container ? container_manifest_version : format_version},
               {"id", id.to_string()},
               {"created_at", created_at.to_text()},
               {"program_version", program_version},
               {"state", to_string(state)},
               {"kind", to_string(kind)},
               {"sequence", sequence},
               {"has_rows", has_rows},
               {"emptied", is_emptied},
               {"source",
                {{"path", source.path},
                 {"size_bytes", source.size_bytes},
                 {"journal_mode", source.journal_mode},
                 {"mode", source.mode}}},
               {"sqlite",
                {{"library_version", sqlite.library_version},
                 {"page_size_bytes", sqlite.page_size_bytes},
                 {"page_count", sqlite.page_count},
                 {"user_version", sqlite.user_version},
                 {"application_id", sqlite.application_id},
                 {"encoding", sqlite.encoding},
                 {"schema_sha256", sqlite.schema_sha256}}},
               {"file", backups::to_json(file)},
               {"companions", std::move(companion_list)},
               {"tables", std::move(table_list)},
               {"checks",
                {{"source", checks.source},
                 {"copy", checks.copy},
                 {"foreign_key_violations", checks.foreign_key_violations}}},
               {"duration_ms", duration_ms}};
  if (container) json["container"] = backups::to_json(*container);
  if (set) json["set"] = backups::to_json(*set);
  if (source.file) {
    json["source"]["file"] = {{"inode", source.file->inode}, {"born_at_ns", source.file->born_at_ns}};
  }
  if (line) json["line"] = line->to_string();
  if (authentication) json["authentication"] = backups::to_json(*authentication);
  return json;
}

std::string Manifest::content_sha256() const {
  return hash_of(without_code(to_json()));
}

std::string manifest_text(const Manifest& manifest) {
  Json json = manifest.to_json();
  json["manifest_sha256"] = hash_of(json);
  return json.dump(2) + "\n";
}

Manifest parse_manifest(std::string_view text, std::string_view name) {
  try {
    Json json = parse_json(text, name);
    if (!json.is_object()) throw IntegrityError(fmt::format("{} is not a manifest", name), hint_when_damaged);
    require_known_format(json, name);
    require_own_hash(json, name);
    Manifest manifest = from_json(json, name);
    // Of the text as it is, so that fields which this program does not know are covered, too.
    if (json.contains("authentication")) {
      manifest.authentication = parse_authentication(json.at("authentication"));
      manifest.authentication->content_sha256 = hash_of(without_code(std::move(json)));
    }
    return manifest;
  } catch (const ValidationError& error) {
    throw IntegrityError(fmt::format("{} cannot be read: {}", name, error.what()), hint_when_damaged);
  } catch (const nlohmann::json::exception&) {
    // Its text would show the value; that a field is missing or of another type is all there is to say.
    throw IntegrityError(fmt::format("{} lacks a field or has one of another type", name), hint_when_damaged);
  }
}

}  // namespace nerve::backups
