// SPDX-License-Identifier: Apache-2.0
#include "sqlite/text_index_copy.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace nerve::sqlite {

namespace {

constexpr int steps_between_looks = 10'000;
constexpr int primary_code_mask = 0xff;

int stop_if_interrupted(void* /*unused*/) {
  return interrupted() ? 1 : 0;
}

struct Finalize {
  void operator()(::sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
};
using PreparedStatement = std::unique_ptr<::sqlite3_stmt, Finalize>;

/// The first statement of `sql`; null where it is none.
PreparedStatement prepare(::sqlite3* connection, const std::string& sql) {
  ::sqlite3_stmt* statement = nullptr;
  ::sqlite3_prepare_v2(connection, sql.c_str(), static_cast<int>(sql.size() + 1), &statement, nullptr);
  return PreparedStatement(statement);
}

bool is_corrupt(int code) {
  return (code & primary_code_mask) == SQLITE_CORRUPT;
}

std::string insert_of(const std::string& table, int columns) {
  std::string places;
  for (int column = 0; column < columns; ++column) places += column == 0 ? "?" : ", ?";
  return fmt::format("INSERT INTO main.{} VALUES ({})", quote_identifier(table), places);
}

std::size_t bind_row(::sqlite3_stmt* from, ::sqlite3_stmt* to) {
  std::size_t bytes = 0;
  for (int column = 0; column < ::sqlite3_column_count(from); ++column) {
    bytes += static_cast<std::size_t>(::sqlite3_column_bytes(from, column));
    ::sqlite3_bind_value(to, column + 1, ::sqlite3_column_value(from, column));
  }
  return bytes;
}

}  // namespace

void TextIndexCopy::Close::operator()(::sqlite3* connection) const noexcept {
  ::sqlite3_close_v2(connection);
}

TextIndexCopy::TextIndexCopy(Session& source) : source_(source) {
  ::sqlite3* connection = nullptr;
  const int code =
      ::sqlite3_open_v2(":memory:", &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) throw_sqlite_error(code, "cannot make a database in memory", source.path());
  ::sqlite3_extended_result_codes(connection, 1);
  ::sqlite3_progress_handler(connection, steps_between_looks, &stop_if_interrupted, nullptr);
}

TextIndexCopy::~TextIndexCopy() = default;

std::string TextIndexCopy::last_message() const {
  return sanitize_for_terminal(::sqlite3_errmsg(connection_.get()));
}

bool TextIndexCopy::run(const std::string& sql) {
  return ::sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

/// Only the first statement: the text comes from the schema of a file that anybody may have made.
bool TextIndexCopy::make(const std::string& sql) {
  const PreparedStatement statement = prepare(connection_.get(), sql);
  return statement && ::sqlite3_step(statement.get()) == SQLITE_DONE;
}

CopyVerdict TextIndexCopy::copy_table(const std::string& table) {
  const std::string from_sql = "SELECT * FROM main." + quote_identifier(table);
  const PreparedStatement from = prepare(source_.handle(), from_sql);
  if (!from) return {.damage = fmt::format("its table {} cannot be read", table)};
  const PreparedStatement to =
      prepare(connection_.get(), insert_of(table, ::sqlite3_column_count(from.get())));
  if (!to) return {.damage = fmt::format("its table {} has other columns than it should have", table)};
  int code = SQLITE_OK;
  while ((code = ::sqlite3_step(from.get())) == SQLITE_ROW) {
    throw_if_interrupted();
    copied_bytes_ += bind_row(from.get(), to.get());
    if (copied_bytes_ > virtual_table_copy_bytes_max) {
      return {.unchecked = fmt::format("it keeps more than {}, of which the inside is not checked",
                                       format_size(virtual_table_copy_bytes_max))};
    }
    if (::sqlite3_step(to.get()) != SQLITE_DONE) return {.unchecked = last_message()};
    ::sqlite3_reset(to.get());
  }
  if (code == SQLITE_DONE) return {};
  if (is_corrupt(code)) return {.damage = fmt::format("its table {} is damaged", table)};
  throw_sqlite_error(code, "cannot read the table " + table, source_.path());
}

CopyVerdict TextIndexCopy::copy_tables(const std::string& name) {
  std::vector<std::string> tables;
  {
    const PreparedStatement list =
        prepare(connection_.get(),
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name");
    while (list && ::sqlite3_step(list.get()) == SQLITE_ROW)
      tables.emplace_back(reinterpret_cast<const char*>(::sqlite3_column_text(list.get(), 0)));
  }
  for (const std::string& table : tables) {
    if (!run("DELETE FROM main." + quote_identifier(table))) return {.unchecked = last_message()};
    CopyVerdict verdict = copy_table(table);
    if (!verdict.damage.empty() || !verdict.unchecked.empty()) return verdict;
  }
  // What the module has remembered of its empty tables is forgotten with the schema.
  if (!run("COMMIT; PRAGMA writable_schema = RESET")) return {.unchecked = last_message()};
  const std::string command =
      fmt::format("INSERT INTO main.{0}({0}) VALUES ('integrity-check')", quote_identifier(name));
  const PreparedStatement check = prepare(connection_.get(), command);
  const int code = check ? ::sqlite3_step(check.get()) : ::sqlite3_extended_errcode(connection_.get());
  if (code == SQLITE_DONE) return {};
  if (is_corrupt(code)) return {.damage = "its index does not hold what it should hold"};
  return {.unchecked = last_message()};
}

CopyVerdict TextIndexCopy::check(const std::string& name, const std::string& sql) {
  copied_bytes_ = 0;
  CopyVerdict verdict;
  if (!run("BEGIN") || !make(sql)) {
    verdict.unchecked = last_message();
  } else {
    verdict = copy_tables(name);
  }
  throw_if_interrupted();
  // As empty as before, for the next one.
  if (::sqlite3_get_autocommit(connection_.get()) == 0) run("ROLLBACK");
  run("DROP TABLE IF EXISTS main." + quote_identifier(name));
  return verdict;
}

}  // namespace nerve::sqlite
