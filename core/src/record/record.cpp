// SPDX-License-Identifier: Apache-2.0
#include "nerve/record.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nerve {

std::string_view to_string(Classification classification) noexcept {
  constexpr std::array<std::string_view, 4> names{"public", "internal", "confidential", "critical"};
  return names.at(static_cast<std::size_t>(classification));
}

const Field* RecordType::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(fields_, column, &Field::name);
  return found == fields_.end() ? nullptr : &*found;
}

const Field& RecordType::key() const {
  if (key_size_ != 1) {
    throw Error(ErrorKind::failure, fmt::format("the key of {} has several columns", table()),
                "This is a defect of the module: please report it.");
  }
  return *std::ranges::find_if(fields_,
                               [](const Field& field) { return field.is_key || field.name == "id"; });
}

std::vector<std::string_view> RecordType::key_columns() const {
  std::vector<std::string_view> names;
  for (const Field& field : fields_) {
    if (field.is_key || field.name == "id") names.push_back(field.name);
  }
  return names;
}

std::vector<std::string_view> RecordType::columns(bool Field::*flag) const {
  std::vector<std::string_view> names;
  for (const Field& field : fields_) {
    if (field.*flag) names.push_back(field.name);
  }
  return names;
}

const Field* RecordType::natural_key() const noexcept {
  const auto found = std::ranges::find_if(fields_, &Field::is_natural_key);
  return found == fields_.end() ? nullptr : &*found;
}

std::string RecordType::plural() const {
  return std::string(noun()) + "s";
}

std::vector<db::Value> RecordType::values_in(const void* record) const {
  std::vector<db::Value> values;
  values.reserve(fields_.size());
  for (const Field& field : fields_) values.push_back(field.value_in(record));
  return values;
}

void RecordType::decode(void* record, std::span<const db::Cell> cells) const {
  for (std::size_t index = 0; index < fields_.size(); ++index) {
    const Field& field = fields_[index];
    const db::Cell& cell = cells[index];
    if (cell.null && !field.type->is_optional) {
      throw DatabaseError(ErrorKind::integrity, fmt::format("{}.{} is NULL", table(), field.name),
                          "The database may be older or newer than the program: nerve-db migrate status.");
    }
    field.type->decode(field.member(record), cell);
  }
}

RecordType::Sql RecordType::make_sql() const {
  Sql sql;
  std::string places;
  const auto add = [&](std::string_view column) {
    sql.insert += fmt::format("{}{}", sql.insert.empty() ? "" : ", ", column);
    places += fmt::format("{}:{}", places.empty() ? "" : ", ", column);
  };
  for (const Field& field : fields_) {
    sql.columns += fmt::format("{}{}", sql.columns.empty() ? "" : ", ", field.name);
    sql.types.push_back(field.type->value_type);
    add(field.name);
  }
  if (facts_.is_tenant_owned) add("tenant_id");
  if (facts_.has_creator) add("created_by");
  sql.insert =
      fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING", table(), sql.insert, places);
  return sql;
}

const RecordType::Sql& RecordType::sql() const {
  const Sql* made = sql_.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  const auto* mine = new Sql(make_sql());  // lives as long as the constant that it belongs to: the program
  if (sql_.compare_exchange_strong(made, mine, std::memory_order_acq_rel)) return *mine;
  delete mine;  // another thread was faster
  return *made;
}

}  // namespace nerve
