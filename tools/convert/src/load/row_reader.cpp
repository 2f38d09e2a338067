// SPDX-License-Identifier: Apache-2.0
#include "load/row_reader.h"

#include "load/row_width.h"
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

/// Little enough that the server still has work in the socket while the next piece is encoded.
constexpr std::size_t piece_bytes = 64 * 1024;

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

RowReader::RowReader(const TablePlan& table)
    : table_(table),
      sql_(select_rows(source_query(table))),
      may_exceed_page_(may_exceed_page(table)),
      digester_(table.columns) {
  for (const ColumnPlan& column : table.columns) {
    if (column.is_loaded) ++loaded_count_;
  }
}

RangeResult RowReader::read(sqlite::Session& session, const Range& range, RowSink& sink) {
  result_ = {};
  const std::array<std::int64_t, 2> bounds{range.first, range.last};
  const auto parameters = table_.rowid.empty() ? std::span<const std::int64_t>() : std::span(bounds);
  all_.clear();
  loaded_.clear();
  kept_ = 0;
  session.each(sql_, parameters, [&](const sqlite::Row& row) { take_row(row, sink); });
  hand_over(sink);
  return result_;
}

void RowReader::take_row(const sqlite::Row& row, RowSink& sink) {
  const bool sends_all = loaded_count_ == table_.columns.size();
  if (!sends_all) all_.clear();
  const std::size_t begin = all_.size();
  const std::size_t loaded_begin = loaded_.size();
  all_.row(table_.columns.size());
  if (!sends_all) loaded_.row(loaded_count_);
  is_left_out_ = false;
  nulls_.clear();
  for (std::size_t i = 0; i < table_.columns.size() && !is_left_out_; ++i) {
    const ColumnPlan& column = table_.columns[i];
    const std::size_t field = all_.size();
    const Misfit misfit =
        encode_value(row.value(static_cast<int>(i)), column.type, column.has_storable_text, all_);
    if (misfit != Misfit::none) handle_misfit(row, i, misfit, sink);
    if (!sends_all && column.is_loaded) loaded_.append(all_.view().subspan(field));
  }
  if (!is_left_out_ && may_exceed_page_ && !fits_page(table_, all_.view().subspan(begin))) {
    is_left_out_ = true;
    reject(row, table_.columns.size() - 1, Misfit::width, sink);
  }
  if (is_left_out_) {
    all_.cut(begin);
    loaded_.cut(loaded_begin);
    ++result_.rejected;
    return;
  }
  for (const auto& [column, misfit] : nulls_) reject(row, column, misfit, sink);
  result_.nulled += static_cast<std::int64_t>(nulls_.size());
  const ByteView whole = all_.view().subspan(begin);
  const RowDigest digest = digester_(whole);
  result_.stored.add(digest);
  sink.row(whole, digest);
  ++kept_;
  if ((sends_all ? all_ : loaded_).size() >= piece_bytes) hand_over(sink);
}

void RowReader::hand_over(RowSink& sink) {
  RowBuffer& rows = loaded_count_ == table_.columns.size() ? all_ : loaded_;
  if (kept_ > 0) sink.rows(rows.view(), kept_);
  rows.clear();
  kept_ = 0;
}

void RowReader::handle_misfit(const sqlite::Row& row, std::size_t column, Misfit misfit, RowSink& sink) {
  const ColumnPlan& plan = table_.columns[column];
  if (!plan.is_loaded) {
    // The target says what it computes; that it is not this value, the comparison will tell.
    all_.null();
    return;
  }
  if (plan.on_misfit == OnMisfit::fail) {
    throw ValidationError(fmt::format("a value of {}.{} cannot be stored as {}: {}", table_.source,
                                      plan.source, to_ddl(plan.type), to_string(misfit)),
                          "Give the column another type or another reject policy in the rules file.");
  }
  if (plan.on_misfit == OnMisfit::null && !plan.is_not_null) {
    all_.null();
    nulls_.emplace_back(column, misfit);
    return;
  }
  is_left_out_ = true;
  reject(row, column, misfit, sink);
}

void RowReader::reject(const sqlite::Row& row, std::size_t column, Misfit misfit, RowSink& sink) const {
  Reject reject{.rowid = std::nullopt,
                .column = column,
                .storage_class = row.storage_class(static_cast<int>(column)),
                .misfit = misfit,
                .is_row_left_out = is_left_out_};
  if (!table_.rowid.empty()) reject.rowid = row.integer(static_cast<int>(table_.columns.size()));
  sink.reject(reject, whole_row(row));
}

Json RowReader::whole_row(const sqlite::Row& row) const {
  Json whole = Json::object();
  for (std::size_t i = 0; i < table_.columns.size(); ++i)
    whole[table_.columns[i].source] = to_json(row, static_cast<int>(i));
  return whole;
}

}  // namespace nerve::convert
