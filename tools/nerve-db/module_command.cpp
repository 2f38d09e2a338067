// SPDX-License-Identifier: Apache-2.0
// nerve-db module list
#include "command.h"
#include "context.h"

#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/module.h"
#include "nerve/modules/builtin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace nerve::cli {

namespace {

template <class Things, class NameOf>
Json names_of(const Things& things, NameOf name_of) {
  Json names = Json::array();
  for (const auto& thing : things) names.push_back(name_of(thing));
  return names;
}

Json table_json(const RecordType& record) {
  const RecordFacts& facts = record.facts();
  return {{"name", facts.table},
          {"classification", to_string(facts.classification)},
          {"soft_deleted", record.is_soft_deleted()},
          {"tenant_owned", facts.is_tenant_owned},
          {"personal_columns", record.columns(&Field::is_personal)},
          {"sealed_columns", record.columns(&Field::is_sealed)},
          {"retention_days", facts.retention ? Json(facts.retention->period.count()) : Json()}};
}

Json module_json(const Module& module) {
  Json tables = Json::array();
  for (const RecordType* record : module.records) tables.push_back(table_json(*record));
  const std::vector<Command> commands =
      module.commands == nullptr ? std::vector<Command>() : module.commands();
  return {{"name", module.name},
          {"description", module.description},
          {"version", module.version},
          {"store", to_string(module.placement)},
          {"depends_on", std::vector(module.depends_on)},
          {"tables", std::move(tables)},
          {"views", std::vector(module.views)},
          {"jobs", names_of(module.jobs, [](const Job& job) { return job.name; })},
          {"checks", names_of(module.checks, [](const ModuleCheck& check) { return check.id; })},
          {"commands", names_of(commands, [](const Command& command) { return command.name; })}};
}

int run_list(Context& context, const Arguments& /*arguments*/) {
  Output& output = context.output();
  if (output.wants_json()) {
    Json list = Json::array();
    for (const Module* module : builtin_modules()) list.push_back(module_json(*module));
    output.json({{"modules", std::move(list)}});
    return 0;
  }
  Table table{
      .columns =
          {{"MODULE"}, {"VERSION"}, {"STORE"}, {"TABLES", Column::Align::right}, {"NEEDS"}, {"DESCRIPTION"}},
      .rows = {}};
  for (const Module* module : builtin_modules()) {
    table.rows.push_back(
        {std::string(module->name), std::string(module->version), std::string(to_string(module->placement)),
         format_count(static_cast<std::int64_t>(module->records.size())),
         fmt::format("{}", fmt::join(module->depends_on, ", ")), std::string(module->description)});
  }
  output.table(table);
  return 0;
}

}  // namespace

Command module_command() {
  return {.name = "module",
          .summary = "show what the program is made of",
          .commands = {{.name = "list",
                        .summary = "list the modules, each after those it needs",
                        .description = "With --json also their tables, jobs, checks and commands.",
                        .example = "nerve-db module list",
                        .run = &run_list}},
          .example = "nerve-db module list --json"};
}

}  // namespace nerve::cli
