// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate status, plan and history
#include "exit_codes.h"
#include "migrate_commands.h"
#include "migrate_target.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace nerve::cli {

namespace {

using migrations::Condition;
using migrations::Direction;
using migrations::MigrationState;
using migrations::MigrationStatement;
using migrations::SchemaState;
using migrations::Step;

Style style_of(Condition condition) {
  switch (condition) {
    case Condition::applied:
      return Style::good;
    case Condition::pending:
      return Style::plain;
    case Condition::incomplete:
      return Style::warning;
    case Condition::changed:
    case Condition::missing:
    case Condition::out_of_order:
      return Style::bad;
  }
  return Style::plain;
}

Json state_json(const MigrationState& state) {
  Json json = {{"migration", state.reference.to_string()},
               {"module", state.reference.module},
               {"number", state.reference.number},
               {"name", state.name},
               {"state", std::string(to_string(state.condition))}};
  if (state.migration != nullptr) json["checksum"] = state.migration->checksum;
  if (state.entry) {
    json["applied_at"] = state.entry->applied_at.to_text();
    json["applied_by"] = state.entry->applied_by;
    json["duration_us"] = state.entry->duration.count();
    json["origin"] = std::string(db::enum_text(state.entry->origin));
  }
  return json;
}

void show_state(Output& output, const SchemaState& state) {
  Table table{
      .columns = {{"MIGRATION"}, {"NAME"}, {"STATE"}, {"APPLIED"}, {"BY"}, {"TOOK", Column::Align::right}},
      .rows = {}};
  table.rows.reserve(state.migrations.size());
  for (const MigrationState& one : state.migrations) {
    const bool is_there = one.entry.has_value();
    table.rows.push_back({one.reference.to_string(), one.name,
                          TableCell(std::string(to_string(one.condition)), style_of(one.condition)),
                          is_there ? output.time(one.entry->applied_at) : "",
                          is_there ? one.entry->applied_by : "",
                          is_there ? format_duration(one.entry->duration) : ""});
  }
  if (!table.rows.empty()) output.table(std::move(table));
  const std::size_t applied = state.count(Condition::applied);
  const std::size_t pending = state.count(Condition::pending);
  output.line(fmt::format("{}: {} applied, {} pending", state.database, applied, pending));
}

int state_exit_code(const SchemaState& state) {
  try {
    state.require_sound();
  } catch (const Error& error) {
    return static_cast<int>(exit_code_of(error.kind()));
  }
  const bool is_behind = state.count(Condition::pending) + state.count(Condition::incomplete) > 0;
  return static_cast<int>(is_behind ? ExitCode::pending_migrations : ExitCode::ok);
}

std::string title_of(const Step& step) {
  std::string title = fmt::format("{} ({})", step.migration->title(), to_string(step.direction));
  if (step.is_resumed) title += fmt::format(", from statement {}", step.statements_done + 1);
  return title;
}

Json step_json(const Step& step, db::Dialect dialect) {
  Json statements = Json::array();
  for (const MigrationStatement& statement : step.migration->statements(step.direction, dialect)) {
    statements.push_back(statement.sql);
  }
  return {{"migration", step.migration->reference.to_string()},
          {"direction", std::string(to_string(step.direction))},
          {"file", step.migration->file},
          {"resumed_at", step.statements_done},
          {"transaction", !step.migration->runs_outside_transaction},
          {"irreversible", step.migration->irreversible},
          {"impact", step.migration->description.impact},
          {"statements", std::move(statements)}};
}

void show_step(Output& output, const Step& step, db::Dialect dialect) {
  output.line("-- " + title_of(step), Style::strong);
  const auto note = [&](std::string_view key, const std::string& text) {
    if (!text.empty()) output.line(fmt::format("-- {}: {}", key, text));
  };
  note("description", step.migration->description.summary);
  note("impact", step.migration->description.impact);
  note("security", step.migration->description.security);
  note("compliance", step.migration->description.compliance);
  note("retention", step.migration->description.retention);
  note("irreversible", step.migration->irreversible);
  for (const MigrationStatement& statement : step.migration->statements(step.direction, dialect)) {
    std::string_view rest = statement.sql;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      output.line(std::string(rest.substr(0, end)) + (end == rest.size() ? ";" : ""));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  output.line("");
}

void show_steps(Output& output, const std::vector<Step>& steps, db::Dialect dialect, Json& json) {
  for (const Step& step : steps) {
    if (output.wants_json()) {
      json.push_back(step_json(step, dialect));
    } else {
      show_step(output, step, dialect);
    }
  }
}

db::Dialect dialect_from(const std::string& name) {
  return name == "sqlite" ? db::Dialect::sqlite : db::Dialect::postgresql;
}

/// All migrations of a folder, with no database.
std::vector<Step> all_steps(const migrations::MigrationSet& set) {
  std::vector<Step> steps;
  for (const migrations::Migration& migration : set.in_order()) steps.push_back({&migration, Direction::up});
  return steps;
}

bool names_database(Context& context) {
  return context.is_database_named() || context.workspace().folder.has_value();
}

}  // namespace

int run_migrate_status(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  int exit_code = 0;
  Json json = Json::array();
  for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::read)) {
    const SchemaState state = target.migrator().state();
    exit_code = std::max(exit_code, state_exit_code(state));
    if (!output.wants_json()) {
      show_state(output, state);
      continue;
    }
    Json list = Json::array();
    for (const MigrationState& one : state.migrations) list.push_back(state_json(one));
    json.push_back({{"database", state.database}, {"migrations", std::move(list)}});
  }
  if (output.wants_json()) output.json({{"databases", std::move(json)}});
  return exit_code;
}

int run_migrate_plan(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const auto named_dialect = arguments.text("--dialect");
  Json steps = Json::array();
  if (!names_database(context) && arguments.has("--dir")) {
    if (!named_dialect) {
      throw ValidationError("no database is named, so the engine is not known",
                            "Add --dialect sqlite or --dialect postgresql, or --db URL.");
    }
    const db::Dialect dialect = dialect_from(*named_dialect);
    const std::array dialects{dialect};
    const auto set = migrations::MigrationSet::from_folder(*arguments.text("--dir"), dialects);
    show_steps(output, all_steps(set), dialect, steps);
  } else {
    for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::read)) {
      migrations::Migrator migrator = target.migrator();
      const auto reference = target.reference(arguments.text("--to"));
      const auto count = arguments.integer("--down");
      const std::vector<Step> plan = count ? migrator.plan_down(static_cast<std::size_t>(*count), reference)
                                           : migrator.plan_up(reference);
      show_steps(output, plan, named_dialect ? dialect_from(*named_dialect) : target.url.engine, steps);
      if (plan.empty()) output.note(fmt::format("{}: nothing to do", target.database->name()));
    }
  }
  if (output.wants_json()) output.json({{"steps", std::move(steps)}});
  return 0;
}

int run_migrate_history(Context& context, const Arguments& arguments) {
  constexpr std::int64_t limit_default = 50;
  Output& output = context.output();
  Json json = Json::array();
  for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::read)) {
    const auto events = target.database->read([&](db::Transaction& transaction) {
      if (target.ledger.presence(transaction) != migrations::Ledger::Presence::present)
        return std::vector<migrations::Event>();
      return target.ledger.events(transaction, arguments.integer("--limit").value_or(limit_default),
                                  arguments.integer("--before"));
    });
    Table table{.columns = {{"NUMBER", Column::Align::right},
                            {"AT"},
                            {"ACTION"},
                            {"SUBJECT"},
                            {"BY"},
                            {"TOOK", Column::Align::right},
                            {"DETAIL"}},
                .rows = {}};
    for (const migrations::Event& event : events) {
      const std::string action(db::enum_text(event.action));
      json.push_back({{"number", event.number},
                      {"at", event.occurred_at.to_text()},
                      {"action", action},
                      {"subject", event.subject},
                      {"checksum", event.checksum},
                      {"actor", event.actor},
                      {"duration_us", event.duration.count()},
                      {"detail", event.detail}});
      table.rows.push_back({std::to_string(event.number), output.time(event.occurred_at), action,
                            event.subject, event.actor, format_duration(event.duration), event.detail});
    }
    if (output.wants_json()) continue;
    if (events.empty()) {
      output.note(fmt::format("{}: nothing was done yet", target.database->name()));
    } else {
      output.table(table);
    }
  }
  if (output.wants_json()) output.json({{"events", std::move(json)}});
  return 0;
}

}  // namespace nerve::cli
