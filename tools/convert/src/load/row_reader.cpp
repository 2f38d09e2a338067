// SPDX-License-Identifier: Apache-2.0
#include "load/row_reader.h"

#include "scan/table_scan.h"
#include "target/table_sql.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

namespace nerve::convert {
namespace {

/// A value of the source so that nothing of it is lost: what JSON has no form for is an object that says what
/// it is.
Json to_json(const sqlite::Row& row, int column) {
  switch (row.storage_class(column)) {
    case sqlite::StorageClass::null:
      return nullptr;
    case sqlite::StorageClass::integer:
      return row.integer(column);
    case sqlite::StorageClass::real: {
      const double value = row.real(column);
      if (std::isinf(value)) return {{"real", value < 0 ? "-Infinity" : "Infinity"}};
      return value;
    }
    case sqlite::StorageClass::text: {
      const std::string_view text = row.text(column);
      if (!is_valid_utf8(text)) return {{"text_hex", to_hex(as_bytes(text))}};
      return std::string(text);
    }
    case sqlite::StorageClass::blob:
      return {{"blob_hex", to_hex(row.blob(column))}};
  }
  return nullptr;
}

}  // namespace

RowReader::RowReader(const TablePlan& table) : table_(table), digester_(table.columns) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].is_loaded) loaded_.push_back(i);
  }
  const TableQuery query = loaded_columns(table);
  // The rowid comes last, so that the columns keep their places.
  sql_ = select_rows(query);
}

RangeResult RowReader::read(sqlite::Session& session, const Range& range, RowSink& sink) {
  result_ = {};
  const std::array<std::int64_t, 2> bounds{range.first, range.last};
  const auto parameters = table_.rowid.empty() ? std::span<const std::int64_t>() : std::span(bounds);
  session.each(sql_, parameters, [&](const sqlite::Row& row) { take_row(row, sink); });
  return result_;
}

void RowReader::take_row(const sqlite::Row& row, RowSink& sink) {
  buffer_.clear();
  buffer_.row(loaded_.size());
  is_left_out_ = false;
  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    const ColumnPlan& column = table_.columns[loaded_[i]];
    const Misfit misfit =
        encode_value(row, static_cast<int>(i), column.type, column.has_storable_text, buffer_);
    if (misfit == Misfit::none) continue;
    handle_misfit(row, i, misfit, sink);
    if (is_left_out_) break;
  }
  if (is_left_out_) {
    ++result_.rejected;
    return;
  }
  result_.stored.add(digester_(buffer_.view()));
  sink.row(buffer_.view());
}

void RowReader::handle_misfit(const sqlite::Row& row, std::size_t column, Misfit misfit, RowSink& sink) {
  const ColumnPlan& plan = table_.columns[loaded_[column]];
  if (plan.on_misfit == OnMisfit::fail) {
    throw ValidationError(fmt::format("a value of {}.{} cannot be stored as {}: {}", table_.source,
                                      plan.source, to_ddl(plan.type), to_string(misfit)),
                          "Give the column another type or another reject policy in the rules file.");
  }
  const bool becomes_null = plan.on_misfit == OnMisfit::null && !plan.is_not_null;
  is_left_out_ = !becomes_null;
  if (becomes_null) {
    buffer_.null();
    ++result_.nulled;
  }
  Reject reject{.rowid = std::nullopt,
                .column = loaded_[column],
                .storage_class = row.storage_class(static_cast<int>(column)),
                .misfit = misfit,
                .is_row_left_out = is_left_out_};
  if (!table_.rowid.empty()) reject.rowid = row.integer(static_cast<int>(loaded_.size()));
  sink.reject(reject, whole_row(row));
}

Json RowReader::whole_row(const sqlite::Row& row) const {
  Json whole = Json::object();
  for (std::size_t i = 0; i < loaded_.size(); ++i)
    whole[table_.columns[loaded_[i]].source] = to_json(row, static_cast<int>(i));
  return whole;
}

}  // namespace nerve::convert
