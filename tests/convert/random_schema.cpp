// SPDX-License-Identifier: Apache-2.0
#include "convert/random_schema.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace nerve::test {
namespace {

/// A declared type and the values that its columns get, as SQL.
struct Kind {
  std::string_view type;
  std::array<std::string_view, 3> values;
};

constexpr std::array<Kind, 16> kinds{{
    {"INTEGER", {"0", "2", "-7"}},
    {"BIGINT", {"1", "5", "1000000000000"}},
    {"INT", {"1", "2", "3"}},
    {"REAL", {"0.5", "1.25", "-3.0"}},
    {"NUMERIC", {"1", "2.5", "100"}},
    {"DECIMAL(8,2)", {"1", "2.5", "-3.25"}},
    {"TEXT", {"'a'", "'B'", "'x y'"}},
    {"VARCHAR(10)", {"'a'", "'bc'", "'Ä'"}},
    {"BLOB", {"x'00ff'", "x'41'", "x''"}},
    {"DATE", {"'2024-01-02'", "'1999-12-31'", "'2000-02-29'"}},
    {"DATETIME", {"'2024-01-02 03:04:05'", "'1999-12-31 23:59:59'", "NULL"}},
    {"TIMESTAMP WITH TIME ZONE", {"'2024-01-02T03:04:05+02:00'", "'2024-06-30T00:00:00Z'", "NULL"}},
    {"JSON", {R"('{"a":1}')", "'[1,2]'", "7"}},
    {"UUID", {"'0f0e0d0c-0b0a-0908-0706-050403020100'", "'ffffffff-ffff-4fff-8fff-ffffffffffff'", "NULL"}},
    {"BOOLEAN", {"0", "1", "NULL"}},
    {"", {"1", "'a'", "2.5"}},
}};

constexpr std::array<std::string_view, 6> collations{
    "", "", "", " COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"};

constexpr std::array<std::string_view, 12> defaults{
    "1",       "'a'",         "2.5", "NULL",    "CURRENT_TIMESTAMP",
    "(1 + 1)", "TRUE",        "''",  "x'00ff'", "(datetime('now'))",
    "-3",      "(lower('X'))"};

/// `@` stands for a column.
constexpr std::array<std::string_view, 17> conditions{
    "@ > @",
    "@ IS NOT NULL",
    "length(@) > 1",
    "@ = 'a'",
    "@ IN (1, 2, 3)",
    "@ BETWEEN 1 AND 5",
    "@ LIKE 'a%'",
    "lower(@) = @",
    "coalesce(@, @) IS NOT NULL",
    "@ + 1 > @",
    "@ || 'x' <> 'q'",
    "typeof(@) = 'text'",
    "@ COLLATE NOCASE = @",
    "date(@) > '2000-01-01'",
    "json_extract(@, '$.a') = 1",
    "CASE WHEN @ THEN 1 ELSE 0 END = 1",
    "@ % 2 = 0",
};

constexpr std::array<std::string_view, 24> expressions{
    "@",
    "length(@)",
    "@ || '-' || @",
    "@ * 2",
    "lower(@)",
    "upper(@)",
    "coalesce(@, @)",
    "coalesce(@, 0)",
    "substr(@, 2)",
    "@ = @",
    "date(@)",
    "strftime('%Y', @)",
    "CAST(@ AS TEXT)",
    "CAST(@ AS INTEGER)",
    "hex(@)",
    "trim(@)",
    "replace(@, 'a', 'b')",
    "CASE WHEN @ > 1 THEN @ END",
    "abs(@)",
    "-@",
    "@ + @",
    "nullif(@, @)",
    "max(@, @)",
    "@ IS NULL",
};

constexpr std::array<std::string_view, 5> reference_clauses{
    "", "", " ON DELETE CASCADE", " ON UPDATE SET NULL", " DEFERRABLE INITIALLY DEFERRED"};

}  // namespace

std::vector<std::string> RandomSchema::statements() {
  tables_.clear();
  std::vector<std::string> all;
  const std::size_t count = 1 + dice_.next() % 3;
  for (std::size_t i = 0; i < count; ++i) {
    Table table{fmt::format("t{}", i), {}};
    const std::size_t columns = 2 + dice_.next() % 5;
    for (std::size_t k = 0; k < columns; ++k)
      table.columns.push_back({fmt::format("c{}", k), std::string(dice_.pick(kinds).type)});
    all.push_back(create_table(table));
    const std::size_t indexes = dice_.next() % 4;
    for (std::size_t k = 0; k < indexes; ++k) all.push_back(create_index(table, k));
    if (chance(50)) all.push_back(create_view(table));
    const std::size_t rows = dice_.next() % 10;
    for (std::size_t k = 0; k < rows; ++k) all.push_back(insert(table));
    tables_.push_back(std::move(table));
  }
  return all;
}

std::string RandomSchema::filled(std::string_view pattern, const Table& table) {
  std::string text;
  for (const char c : pattern) {
    if (c == '@') {
      text += column(table);
    } else {
      text += c;
    }
  }
  return text;
}

std::string RandomSchema::condition(const Table& table) {
  return filled(dice_.pick(conditions), table);
}

std::string RandomSchema::expression(const Table& table) {
  return filled(dice_.pick(expressions), table);
}

std::string RandomSchema::reference(const Table& table) {
  const Table& parent = tables_.empty() || chance(20) ? table : dice_.pick(tables_);
  const std::string columns = chance(70) ? "(" + column(parent) + ")" : "";
  return fmt::format(" REFERENCES {}{}{}", parent.name, columns, dice_.pick(reference_clauses));
}

std::string RandomSchema::rules_of(const Column& column, const Table& table) {
  std::string rules(dice_.pick(collations));
  if (chance(20)) rules += " UNIQUE";
  if (chance(10)) rules += " NOT NULL";
  if (chance(25)) rules += fmt::format(" DEFAULT {}", dice_.pick(defaults));
  if (chance(15)) rules += fmt::format(" CHECK ({})", condition(table));
  if (chance(20)) rules += reference(table);
  if (&column == &table.columns.front() && chance(50))
    rules = (chance(20) ? " PRIMARY KEY DESC" : " PRIMARY KEY") + rules;
  return rules;
}

std::string RandomSchema::keys_of(const Table& table) {
  std::string keys;
  if (chance(20)) keys += fmt::format(", PRIMARY KEY ({}, {})", column(table), column(table));
  if (chance(20)) keys += fmt::format(", UNIQUE ({} COLLATE NOCASE, {} DESC)", column(table), column(table));
  if (chance(20)) keys += fmt::format(", CHECK ({})", condition(table));
  return keys;
}

std::string RandomSchema::create_table(const Table& table) {
  std::string list;
  for (const Column& one : table.columns)
    list += fmt::format("{}{} {}{}", list.empty() ? "" : ", ", one.name, one.type, rules_of(one, table));
  const std::size_t generated = dice_.next() % 3;
  for (std::size_t i = 0; i < generated; ++i) {
    list += fmt::format(", g{} {} AS ({}) {}", i, dice_.pick(kinds).type, expression(table),
                        chance(50) ? "STORED" : "VIRTUAL");
  }
  return fmt::format("CREATE TABLE {} ({}{}){}", table.name, list, keys_of(table),
                     chance(10) ? " WITHOUT ROWID" : "");
}

std::string RandomSchema::create_index(const Table& table, std::size_t number) {
  std::string terms;
  const std::size_t count = 1 + dice_.next() % 3;
  for (std::size_t i = 0; i < count; ++i) {
    terms +=
        fmt::format("{}{}{}{}", terms.empty() ? "" : ", ", chance(60) ? column(table) : expression(table),
                    dice_.pick(collations), chance(30) ? " DESC" : "");
  }
  return fmt::format("CREATE {}INDEX {}_{} ON {} ({}){}", chance(30) ? "UNIQUE " : "", table.name, number,
                     table.name, terms, chance(30) ? " WHERE " + condition(table) : "");
}

std::string RandomSchema::create_view(const Table& table) {
  return fmt::format("CREATE VIEW v_{} AS SELECT {} AS x, {} AS y, {} AS z FROM {}{}{}", table.name,
                     expression(table), expression(table), column(table), table.name,
                     chance(50) ? " WHERE " + condition(table) : "",
                     chance(30) ? " ORDER BY " + expression(table) : "");
}

std::string RandomSchema::insert(const Table& table) {
  std::string names;
  std::string values;
  for (const Column& one : table.columns) {
    for (const Kind& kind : kinds) {
      if (kind.type != one.type || chance(10)) continue;
      names += (names.empty() ? "" : ", ") + one.name;
      values += (values.empty() ? "" : ", ") + std::string(dice_.pick(kind.values));
    }
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, names, values);
}

}  // namespace nerve::test
