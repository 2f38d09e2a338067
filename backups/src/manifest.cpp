// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/manifest.h"

#include "json_number.h"
#include "layout.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

namespace nerve::backups {
namespace {

constexpr const char* hint_when_damaged =
    "Use another backup, or compare the file with a copy of this repository.";

/// As many as SQLite numbers.
constexpr std::int64_t page_count_max = 4'294'967'294;
constexpr std::int64_t page_size_bytes_max = 65536;
constexpr std::int64_t depth_max = 1'000'000;
constexpr std::int64_t rows_max = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t path_bytes_max = std::size_t{16} << 10U;
constexpr std::size_t table_name_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t tables_max = std::size_t{1} << 20U;
constexpr std::size_t roles_max = 10'000;

std::string hash_of(const Json& manifest_without_hash) {
  return to_hex(crypto::sha256(as_bytes(to_canonical_text(manifest_without_hash))));
}

std::int64_t number_of(const Json& json, const char* field, std::int64_t least, std::int64_t most) {
  return whole_number(json.at(field), field, least, most);
}

std::uint64_t size_of(const Json& json) {
  return static_cast<std::uint64_t>(number_of(json, "size_bytes", 0, number_max));
}

std::string text_of(const Json& json, std::string_view field, std::size_t size_bytes_max = text_bytes_max) {
  auto text = json.get<std::string>();
  if (text.size() > size_bytes_max) {
    throw IntegrityError(fmt::format("its {} is longer than {} bytes", field, size_bytes_max));
  }
  return text;
}

std::string text_at(const Json& json, const char* field, std::size_t size_bytes_max = text_bytes_max) {
  return text_of(json.at(field), field, size_bytes_max);
}

/// For a field that older manifests lack.
std::string text_if_there(const Json& json, const char* field) {
  return json.contains(field) ? text_at(json, field) : std::string();
}

const Json& list_at(const Json& json, const char* field, std::size_t size_max) {
  const Json& list = json.at(field);
  if (!list.is_array() || list.size() > size_max) {
    throw IntegrityError(fmt::format("its {} are no list of at most {}", field, size_max));
  }
  return list;
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
  facts.depth = number_of(json, "depth", 0, depth_max);
  facts.stored_pages = number_of(json, "stored_pages", 0, page_count_max);
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
  SetFacts set{SetId::parse(json.at("id").get<std::string>()), text_at(json, "role"), {}};
  for (const Json& role : list_at(json, "roles", roles_max)) set.roles.push_back(text_of(role, "role"));
  return set;
}

Json to_json(const Authentication& authentication) {
  Json json = {{"key", authentication.key}};
  if (!authentication.code.empty()) json["code"] = authentication.code;
  return json;
}

Authentication parse_authentication(const Json& json) {
  Authentication authentication{json.at("key").get<std::string>(), json.at("code").get<std::string>()};
  if (authentication.code.empty()) throw IntegrityError("its authentication has no code");
  return authentication;
}

FileIdentity parse_file_identity(const Json& json) {
  constexpr std::int64_t time_ns_max = std::numeric_limits<std::int64_t>::max();
  // The kernel gives file systems all 64 bits.
  const Json& inode = json.at("inode");
  if (!inode.is_number_unsigned()) throw IntegrityError("its inode is no whole number");
  return {inode.get<std::uint64_t>(), number_of(json, "born_at_ns", -time_ns_max, time_ns_max)};
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
  StoredFile file{text_at(json, "name"), size_of(json), text_if_there(json, "sha256")};
  if (std::find(names.begin(), names.end(), file.name) == names.end()) {
    throw IntegrityError(fmt::format("{} names a file that its format does not have", manifest_name),
                         hint_when_damaged);
  }
  return file;
}

/// 0 where it is not known, as in a damaged backup.
std::int64_t page_size_of(const Json& json) {
  const std::int64_t size_bytes = number_of(json, "page_size_bytes", 0, page_size_bytes_max);
  const bool is_page_size = size_bytes >= 512 && std::has_single_bit(static_cast<std::uint64_t>(size_bytes));
  if (size_bytes != 0 && !is_page_size) throw IntegrityError("its page_size_bytes is none that SQLite has");
  return size_bytes;
}

SqliteFacts parse_sqlite_facts(const Json& json) {
  // SQLite keeps both as 32 bits, with a sign or without.
  constexpr std::int64_t user_number_min = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t user_number_max = std::numeric_limits<std::uint32_t>::max();
  SqliteFacts facts;
  facts.library_version = text_at(json, "library_version");
  facts.page_size_bytes = page_size_of(json);
  facts.page_count = number_of(json, "page_count", 0, page_count_max);
  facts.user_version = number_of(json, "user_version", user_number_min, user_number_max);
  facts.application_id = number_of(json, "application_id", user_number_min, user_number_max);
  facts.encoding = text_at(json, "encoding");
  facts.schema_sha256 = text_at(json, "schema_sha256");
  return facts;
}

std::vector<TableRows> parse_tables(const Json& json) {
  std::vector<TableRows> tables;
  std::int64_t total = 0;
  for (const Json& table : list_at(json, "tables", tables_max)) {
    const std::int64_t rows = number_of(table, "rows", 0, rows_max);
    if (rows > rows_max - total) throw IntegrityError("its tables have more rows than can be counted");
    total += rows;
    tables.push_back({text_at(table, "name", table_name_bytes_max), rows});
  }
  return tables;
}

Manifest from_json(const Json& json, std::string_view name) {
  Manifest manifest;
  manifest.id = BackupId::parse(json.at("id").get<std::string>());
  manifest.created_at = Timestamp::parse(json.at("created_at").get<std::string>());
  manifest.program_version = text_at(json, "program_version");
  manifest.state = parse_word(json.at("state"), {State::good, State::damaged}, name);
  manifest.kind = parse_word(json.at("kind"), {Kind::manual, Kind::safety}, name);
  manifest.is_emptied = json.value("emptied", false);
  const Json& source = json.at("source");
  manifest.source.path = text_at(source, "path", path_bytes_max);
  manifest.source.size_bytes = size_of(source);
  manifest.source.journal_mode = text_at(source, "journal_mode");
  manifest.source.mode = text_if_there(source, "mode");
  if (source.contains("file")) {
    manifest.source.file = parse_file_identity(source.at("file"));
  }
  if (json.contains("line")) manifest.line = LineId::parse(json.at("line").get<std::string>());
  manifest.sqlite = parse_sqlite_facts(json.at("sqlite"));
  if (json.contains("set")) manifest.set = parse_set_facts(json.at("set"));
  if (json.contains("container")) manifest.container = parse_container_facts(json.at("container"));
  manifest.file =
      manifest.container
          ? parse_stored_file(json.at("file"), {container_file_name, sealed_container_file_name}, name)
          : parse_stored_file(json.at("file"), {database_file_name}, name);
  for (const Json& companion : list_at(json, "companions", 2)) {
    manifest.companions.push_back(parse_stored_file(companion, {wal_file_name, journal_file_name}, name));
  }
  if (json.contains("authentication")) {
    manifest.authentication = parse_authentication(json.at("authentication"));
  }
  manifest.tables = parse_tables(json);
  if (json.contains("sequence")) manifest.sequence = number_of(json, "sequence", 0, sequence_max);
  manifest.has_rows = json.value("has_rows", manifest.rows_total().value_or(0) > 0);
  const Json& checks = json.at("checks");
  manifest.checks.source = text_at(checks, "source");
  manifest.checks.copy = text_at(checks, "copy");
  manifest.checks.foreign_key_violations = number_of(checks, "foreign_key_violations", 0, rows_max);
  // Negative where the clock was set back meanwhile.
  manifest.duration_ms = number_of(json, "duration_ms", -number_max, number_max);
  return manifest;
}

/// What is out of bounds is told with the name of the manifest.
Manifest checked_from_json(const Json& json, std::string_view name) {
  try {
    return from_json(json, name);
  } catch (const IntegrityError& error) {
    if (!error.hint().empty()) throw;
    throw IntegrityError(fmt::format("{} is damaged: {}", name, error.what()), hint_when_damaged);
  }
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

Manifest parse_manifest(std::string_view text, std::string_view name, bool is_known_text) {
  try {
    Json json = parse_json(text, name);
    if (!json.is_object()) throw IntegrityError(fmt::format("{} is not a manifest", name), hint_when_damaged);
    require_known_format(json, name);
    if (is_known_text) {
      json.erase("manifest_sha256");
    } else {
      require_own_hash(json, name);
    }
    Manifest manifest = checked_from_json(json, name);
    // Of the text as it is, so that fields which this program does not know are covered, too.
    if (manifest.authentication) {
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
