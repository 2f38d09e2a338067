// SPDX-License-Identifier: Apache-2.0
#include "load/range.h"
#include "values/valid_text.h"

#include "nerve/convert/plan.h"

#include <nlohmann/json.hpp>

namespace nerve::convert {
namespace {

Json column_to_json(const ColumnPlan& column) {
  Json json = {{"source", valid_text(column.source)},
               {"target", column.target},
               {"declared", valid_text(column.declared)},
               {"type", to_ddl(column.type)},
               {"definition", column.definition},
               {"why", column.why},
               {"is_loaded", column.is_loaded},
               {"on_misfit", to_string(column.on_misfit)},
               {"misfits", column.misfits},
               {"changed", column.changed}};
  if (is_time(column.type.type)) json["time"] = to_string(column.type.time);
  return json;
}

Json steps_to_json(const std::vector<Step>& steps) {
  Json list = Json::array();
  for (const Step& step : steps)
    list.push_back({{"what", valid_text(step.name())}, {"sql", valid_text(step.sql)}});
  return list;
}

Json table_to_json(const TablePlan& table) {
  Json columns = Json::array();
  for (const ColumnPlan& column : table.columns) columns.push_back(column_to_json(column));
  return {{"source", table.source},
          {"target", table.target},
          {"rows", table.rows},
          {"bytes", table.bytes},
          {"ranges", ranges_of(table, 0).size()},
          {"columns", std::move(columns)},
          {"steps", steps_to_json(table.after_load)}};
}

}  // namespace

Json to_json(const std::vector<Untranslated>& objects) {
  Json list = Json::array();
  for (const Untranslated& object : objects) {
    list.push_back({{"kind", object.kind},
                    {"name", valid_text(object.name)},
                    {"table", valid_text(object.table)},
                    {"reason", valid_text(object.reason)},
                    {"text", valid_text(object.text)}});
  }
  return list;
}

Json to_json(const Forecast& forecast) {
  Json orphans = Json::array();
  for (const Orphans& one : forecast.orphans) {
    Json columns = Json::array();
    for (const std::string& column : one.columns) columns.push_back(valid_text(column));
    orphans.push_back({{"table", valid_text(one.table)},
                       {"columns", std::move(columns)},
                       {"parent", valid_text(one.parent)},
                       {"rows", one.rows},
                       {"first_rowid", one.first_rowid ? Json(*one.first_rowid) : Json()}});
  }
  return {{"orphans", std::move(orphans)}, {"duration_ms", forecast.duration.count()}};
}

Json to_json(const Plan& plan) {
  Json tables = Json::array();
  for (const TablePlan& table : plan.tables) tables.push_back(table_to_json(table));
  Json notes = Json::array();
  for (const std::string& note : plan.notes) notes.push_back(valid_text(note));
  return {{"source", valid_text(plan.source.string())},
          {"schema", plan.schema},
          {"appends", plan.appends},
          {"tables", std::move(tables)},
          {"steps_at_end", steps_to_json(plan.at_end)},
          {"untranslated", to_json(plan.untranslated)},
          {"notes", std::move(notes)}};
}

}  // namespace nerve::convert
