// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/convert.h"

#include <nlohmann/json.hpp>

namespace nerve::convert {

Json to_json(const std::vector<TableReport>& tables) {
  Json list = Json::array();
  for (const TableReport& table : tables) {
    Json differences = Json::array();
    for (const RowDifference& difference : table.differences) {
      differences.push_back(
          {{"side", difference.side}, {"row", Json::parse(difference.row)}, {"count", difference.count}});
    }
    list.push_back({{"source", table.source},
                    {"target", table.target},
                    {"rows", table.rows},
                    {"stored", table.stored},
                    {"rejected", table.rejected},
                    {"nulled", table.nulled},
                    {"changed", table.changed},
                    {"target_rows", table.target_rows},
                    {"target_rows_before", table.target_rows_before},
                    {"is_equal", table.is_equal},
                    {"differences", std::move(differences)}});
  }
  return list;
}

Json to_json(const SourceCheck& check) {
  return {{"is_done", check.is_done}, {"unchecked", check.unchecked}};
}

Json to_json(const ConvertReport& report) {
  Json durations = Json::object();
  for (const auto& [part, duration] : report.durations) durations[part] = duration.count();
  return {{"plan", to_json(report.plan)},
          {"check", to_json(report.check)},
          {"tables", to_json(report.tables)},
          {"refused", to_json(report.refused)},
          {"rejects", report.rejects},
          {"durations_ms", std::move(durations)},
          {"is_resumed", report.is_resumed},
          {"is_complete", report.is_complete()},
          {"is_rolled_back", report.is_rolled_back}};
}

}  // namespace nerve::convert
