// SPDX-License-Identifier: Apache-2.0
#include "salvage/lost_and_found.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>

namespace nerve::backups::salvage {
namespace {

constexpr int fixed_columns = 6;
/// SQLite's default limit is 2000 columns in all.
constexpr std::size_t values_max = 1'990;
constexpr std::size_t values_added = 8;

bool has_same_letters(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         ::sqlite3_strnicmp(left.data(), right.data(), static_cast<int>(left.size())) == 0;
}

std::string free_name(const Schema& schema) {
  const auto is_taken = [&](const std::string& name) {
    return std::ranges::any_of(schema.entries,
                               [&](const SchemaEntry& entry) { return has_same_letters(entry.name, name); });
  };
  std::string name = "lost_and_found";
  for (int number = 1; is_taken(name); ++number) name = fmt::format("lost_and_found_{}", number);
  return name;
}

Value integer_value(std::int64_t number) {
  return {.type = sqlite::StorageClass::integer, .integer = number};
}

}  // namespace

LostAndFound::LostAndFound(NewDatabase& database, const Schema& schema)
    : database_(database), schema_(schema) {}

void LostAndFound::widen_to(std::size_t values) {
  if (!name_.empty() && values <= values_) return;
  insert_.reset();
  sqlite::Session& session = database_.session();
  if (name_.empty()) {
    name_ = free_name(schema_);
    session.execute(fmt::format(
        "CREATE TABLE {}(rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER, table_name TEXT, "
        "reason TEXT)",
        sqlite::quote_identifier(name_)));
  }
  const std::size_t wanted = std::min(std::max(values, values_ + values_added), values_max);
  for (; values_ < wanted; ++values_) {
    session.execute(fmt::format("ALTER TABLE {} ADD COLUMN c{}", sqlite::quote_identifier(name_), values_));
  }
  std::string places;
  for (std::size_t place = 0; place < fixed_columns + values_; ++place) places += place == 0 ? "?" : ",?";
  insert_ =
      database_.prepare(fmt::format("INSERT INTO {} VALUES({})", sqlite::quote_identifier(name_), places));
}

void LostAndFound::add(const LostRow& row, const Record& record) {
  const std::size_t values = std::min(record.size(), values_max);
  widen_to(values);
  const std::array<Value, 4> numbers = {
      row.root_page == 0 ? Value{} : integer_value(row.root_page), integer_value(row.page),
      integer_value(static_cast<std::int64_t>(record.size())), row.key ? integer_value(*row.key) : Value{}};
  ::sqlite3_clear_bindings(insert_.get());
  int place = 1;
  for (const Value& number : numbers) database_.bind(insert_.get(), place++, number);
  for (const std::string_view text : {row.table, row.reason}) {
    if (!text.empty()) {
      ::sqlite3_bind_text64(insert_.get(), place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    ++place;
  }
  std::uint64_t size_bytes = 0;
  for (std::size_t value = 0; value < values; ++value) {
    database_.bind(insert_.get(), place++, record[value]);
    size_bytes += record[value].octets.size();
  }
  std::string refusal;
  if (!database_.run(insert_.get(), refusal)) {
    throw Error(ErrorKind::failure, fmt::format("a row could not be kept in {}: {}", name_, refusal));
  }
  ++rows_by_reason_[std::string(row.reason)];
  database_.note_row(size_bytes);
}

}  // namespace nerve::backups::salvage
