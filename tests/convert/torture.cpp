// SPDX-License-Identifier: Apache-2.0
#include "convert/torture.h"

#include "values/valid_text.h"

#include "nerve/backends/postgresql/session.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <array>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace nerve::test {
namespace {

// One line of text for each fact of the catalogue.
constexpr const char* facts_sql = R"(
WITH relation AS (
  SELECT c.oid, c.relname, c.relkind, c.reloptions FROM pg_class c
  WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'v')
), fact(relation, part, place, line) AS (
  SELECT relname, 0, '', CASE relkind WHEN 'r' THEN 'table ' ELSE 'view ' END || relname
         || coalesce(' WITH ' || array_to_string(reloptions, ', '), '') FROM relation
  UNION ALL
  SELECT r.relname, 1, to_char(a.attnum, '00000'),
         format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod))
         || CASE WHEN a.attcollation NOT IN (0, '"C"'::regcollation) AND r.relkind = 'r'
                 THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
         || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
         || CASE WHEN a.attidentity = 'd' THEN ' IDENTITY from ' || coalesce(
              (SELECT coalesce(s.last_value::numeric + 1, s.start_value)::text FROM pg_sequences s
               WHERE format('%I.%I', s.schemaname, s.sequencename)
                     = pg_get_serial_sequence(format('%I.%I', $1, r.relname), a.attname)), 'nowhere')
            ELSE '' END
         || CASE a.attgenerated WHEN 's' THEN ' GENERATED ' || pg_get_expr(d.adbin, d.adrelid) ELSE
              coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') END
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  UNION ALL
  SELECT r.relname, 2, k.conname, k.conname || ' ' || pg_get_constraintdef(k.oid)
  FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n'
  UNION ALL
  SELECT r.relname, 3, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM relation r JOIN pg_index i ON i.indrelid = r.oid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
)
SELECT relation, part, line FROM fact
ORDER BY relation COLLATE "C", part, place COLLATE "C")";

constexpr int first_part = 0;
/// A longer row is shown by its length and its MD5.
constexpr std::size_t row_bytes_max = 200;

struct SourceCloser {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};

std::unique_ptr<sqlite3, SourceCloser> open_source(const std::filesystem::path& path) {
  sqlite3* opened = nullptr;
  sqlite3_open(path.c_str(), &opened);
  return std::unique_ptr<sqlite3, SourceCloser>(opened);
}

void add_line(std::string& text, std::string_view indent, std::string_view line) {
  text += indent;
  text += line;
  text += '\n';
}

std::string rows_of(postgresql::Session& target, const std::string& schema, const std::string& relation) {
  std::string rows;
  // The alias is the name of no column, so it stands for the whole row.
  const std::string sql = fmt::format(
      "SELECT CASE WHEN length(\"a row\"::text) > {0} "
      "THEN format('%s characters, %s', length(\"a row\"::text), md5(\"a row\"::text)) "
      "ELSE \"a row\"::text END FROM {1}.{2} AS \"a row\" ORDER BY \"a row\"::text COLLATE \"C\"",
      row_bytes_max, postgresql::quote_identifier(schema), postgresql::quote_identifier(relation));
  target.each(sql, {},
              [&](const postgresql::Row& row) { add_line(rows, "  ", row.text(0).value_or("null")); });
  return rows;
}

}  // namespace

std::vector<TortureCase> read_cases(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  std::vector<TortureCase> cases;
  std::string* part = nullptr;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), "", ""});
      part = &cases.back().script;
    } else if (line == "---" && !cases.empty()) {
      part = &cases.back().outcome;
    } else if (part != nullptr && !line.empty()) {
      add_line(*part, "", line);
    }
  }
  return cases;
}

void make_source(const std::filesystem::path& path, std::string_view script) {
  const auto database = open_source(path);
  if (sqlite3_exec(database.get(), std::string(script).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(database.get()));
}

void make_source_of_valid(const std::filesystem::path& path, const std::vector<std::string>& statements) {
  const auto database = open_source(path);
  sqlite3_exec(database.get(), "BEGIN", nullptr, nullptr, nullptr);
  for (const std::string& statement : statements)
    sqlite3_exec(database.get(), statement.c_str(), nullptr, nullptr, nullptr);
  sqlite3_exec(database.get(), "COMMIT", nullptr, nullptr, nullptr);
}

void clear_target(const std::string& target_url) {
  postgresql::Session target(target_url);
  target.execute(
      "SET client_min_messages = warning; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; "
      "DROP SCHEMA IF EXISTS nerve_convert CASCADE");
}

std::string describe_schema(const std::string& target_url, const std::string& schema) {
  postgresql::Session target(target_url);
  std::string text;
  std::string rows;
  const std::array<postgresql::Session::Parameter, 1> parameters{schema};
  std::vector<std::array<std::string, 3>> facts;
  target.each(facts_sql, parameters, [&](const postgresql::Row& row) {
    facts.push_back({std::string(row.text(0).value_or("")), std::string(row.text(1).value_or("")),
                     std::string(row.text(2).value_or("null"))});
  });
  for (const auto& [relation, part, line] : facts) {
    const bool is_first = part == std::to_string(first_part);
    if (is_first) {
      text += rows;
      rows = rows_of(target, schema, relation);
    }
    add_line(text, is_first ? "" : "  ", line);
  }
  return text + rows;
}

std::string describe_report(const convert::ConvertReport& report, const std::filesystem::path& rejects) {
  std::string text;
  const auto add_object = [&](std::string_view what, const convert::Untranslated& object) {
    const std::string of = object.table.empty() ? "" : " of " + object.table;
    add_line(text, "",
             fmt::format("{} {} {}{}: {}", what, object.kind, convert::valid_text(object.name), of,
                         object.reason));
  };
  for (const convert::Untranslated& object : report.plan.untranslated) add_object("untranslated", object);
  for (const convert::Untranslated& object : report.refused) add_object("refused", object);
  for (const std::string& note : report.plan.notes) add_line(text, "note ", note);
  for (const convert::TableReport& table : report.tables) {
    if (table.rejected > 0) add_line(text, "", fmt::format("rejected {}: {}", table.source, table.rejected));
    if (table.changed > 0) add_line(text, "", fmt::format("changed {}: {}", table.source, table.changed));
    if (!table.is_equal) add_line(text, "not equal ", table.source);
  }
  std::ifstream stream(rejects);
  for (std::string line; std::getline(stream, line);) {
    const auto reject = nlohmann::json::parse(line);
    add_line(text, "",
             fmt::format("reject {} {} {} {}: {}", reject["table"].get<std::string>(), reject["rowid"].dump(),
                         reject["column"].get<std::string>(), reject["storage_class"].get<std::string>(),
                         reject["reason"].get<std::string>()));
  }
  return text;
}

}  // namespace nerve::test
