// SPDX-License-Identifier: Apache-2.0
// Lists of records without their C++ types.
#include "nerve/core/error.h"
#include "nerve/reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve {

namespace {

RecordValues values_of(const RecordType& record, std::span<const db::Cell> cells) {
  RecordValues values;
  values.reserve(cells.size());
  for (std::size_t index = 0; index < cells.size(); ++index)
    values.push_back(value_of(record.fields()[index], cells[index]));
  return values;
}

std::size_t place_of(const RecordType& record, const Field& field) {
  return static_cast<std::size_t>(std::ranges::find(record.fields(), field.name, &Field::name) -
                                  record.fields().begin());
}

/// The condition for what comes after the record with the cursor's id. Rows without a value come last.
std::string after_cursor(const Field& sort, const db::Value& last, bool is_descending) {
  if (last.type() == db::ValueType::null) return fmt::format(" AND {} IS NULL AND id > :after", sort.name);
  return fmt::format(" AND ({0} {1} :last OR ({0} = :last AND id > :after) OR {0} IS NULL)", sort.name,
                     is_descending ? "<" : ">");
}

}  // namespace

std::optional<RecordValues> Reader::find_values(const RecordType& record, const Uuid& id) {
  std::optional<RecordValues> found;
  read_rows(record, {.key = db::Parameter("key", id).value, .visibility = db::Visibility::all},
            [&](std::span<const db::Cell> cells) { found = values_of(record, cells); });
  return found;
}

Page<RecordValues, Uuid> Reader::list(const RecordType& record, const ListQuery& query) {
  std::string condition = "TRUE";
  std::vector<db::Parameter> parameters;
  std::vector<std::string> names;  // of the parameters, which borrow them
  names.reserve(query.where.size());
  for (const ListQuery::Equal& equal : query.where) {
    if (equal.value.type() == db::ValueType::null) {
      condition += fmt::format(" AND {} IS NULL", equal.field->name);
      continue;
    }
    names.push_back(fmt::format("equal_{}", names.size()));
    condition += fmt::format(" AND {} = :{}", equal.field->name, names.back());
    parameters.emplace_back(names.back(), equal.value);
  }
  std::optional<RecordValues> last;
  if (query.after && query.sort != nullptr) {
    last = find_values(record, *query.after);
    if (!last)
      throw NotFoundError(fmt::format("the {} that --after names is gone", record.noun()),
                          "Begin the list anew, without --after.");
  }
  if (last) {
    const db::Value& value = (*last)[place_of(record, *query.sort)];
    condition += after_cursor(*query.sort, value, query.is_descending);
    if (value.type() != db::ValueType::null) parameters.emplace_back("last", value);
  } else if (query.after) {
    condition += " AND id > :after";
  }
  if (query.after) parameters.emplace_back("after", *query.after);
  const std::string order = query.sort == nullptr ? "id"
                                                  : fmt::format("({0} IS NULL), {0}{1}, id", query.sort->name,
                                                                query.is_descending ? " DESC" : "");
  const std::size_t id_place = place_of(record, record.key());
  const auto id_of = [&](const RecordValues& values) { return Uuid::parse(values[id_place].as_octets()); };
  return read_page(query.limit, id_of, [&](std::int64_t limit) {
    std::vector<RecordValues> rows;
    read_rows(record,
              {.condition = condition,
               .parameters = std::span<const db::Parameter>(parameters),
               .visibility = query.visibility,
               .order_by = order,
               .limit = limit},
              [&](std::span<const db::Cell> cells) { rows.push_back(values_of(record, cells)); });
    return rows;
  });
}

}  // namespace nerve
