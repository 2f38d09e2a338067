// SPDX-License-Identifier: Apache-2.0
// nerve-db convert
#include "command.h"
#include "context.h"
#include "convert_text.h"
#include "new_file.h"

#include "nerve/backends/database_url.h"
#include "nerve/convert/convert.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

using convert::ConvertOptions;
using convert::ConvertReport;
using convert::Plan;
using convert::TableReport;

constexpr int workers_default = 2;
constexpr int workers_max = 64;

std::filesystem::path source_of(const Arguments& arguments) {
  const DatabaseUrl source = parse_database_url(arguments.text("SOURCE").value_or(""));
  if (source.engine == db::Dialect::sqlite) return source.location;
  throw UnsupportedError(
      "the source is no SQLite database",
      "Name a file first and the PostgreSQL database second: nerve-db convert FILE postgresql://…");
}

std::string target_of(const Arguments& arguments) {
  const auto text = arguments.text("TARGET");
  if (!text) {
    throw ValidationError(
        "the target is missing",
        "Name the PostgreSQL database: nerve-db convert FILE postgresql://[user@]host/name.");
  }
  const DatabaseUrl target = parse_database_url(*text);
  if (target.engine == db::Dialect::postgresql) return *text;
  throw UnsupportedError(
      "the target is no PostgreSQL database",
      "Write it as postgresql://[user@]host/name. To copy an SQLite database, use nerve-db backup.");
}

ConvertOptions options_from(Context& context, const Arguments& arguments) {
  ConvertOptions options;
  if (const auto schema = arguments.text("--schema")) options.schema = *schema;
  if (const auto rules = arguments.text("--rules")) options.rules = *rules;
  if (const auto rejects = arguments.text("--rejects")) options.rejects = *rejects;
  options.may_replace = arguments.has("--replace");
  options.may_append = arguments.has("--append");
  if (options.may_replace && options.may_append) {
    throw ValidationError("--replace drops the tables that --append adds rows to", "Give one of the two.");
  }
  options.is_atomic = arguments.has("--atomic");
  options.folds_case = !arguments.has("--keep-case");
  options.checks_source = !arguments.has("--no-check");
  options.workers = static_cast<int>(arguments.integer("--workers").value_or(workers_default));
  options.target = context.read_options();
  options.target.read_only = false;
  // Building an index or comparing a table takes as long as it takes.
  options.target.statement_timeout = std::chrono::milliseconds(0);
  return options;
}

void require_equal(const std::vector<TableReport>& tables, bool appends = false) {
  const auto differing =
      std::ranges::count_if(tables, [](const TableReport& table) { return !table.is_equal; });
  if (differing == 0) return;
  const bool names_rows =
      std::ranges::any_of(tables, [](const TableReport& table) { return !table.differences.empty(); });
  std::string hint = appends
                         ? "Each row of the source has its equal there, so rows that were there before are "
                           "gone or changed, or others came. "
                         : "";
  if (names_rows) hint = fmt::format("The report names rows that {}. ", appends ? "are missing" : "differ");
  throw IntegrityError(
      fmt::format("{} of {} tables differ from {}", differing, tables.size(),
                  appends ? "what they had and what was appended" : "the source"),
      hint + (appends ? "Look who else wrote to these tables meanwhile, and at their triggers."
                      : "Convert again with --replace, or into another schema."));
}

/// Writes a file of rules that is to be edited, and never over another one.
void write_rules(Output& output, const Plan& plan, const std::filesystem::path& file) {
  make_new_file(file, convert::rules_text(plan), NewFileAccess::owner);
  output.note(fmt::format("wrote {}; edit it, and give it to convert with --rules", file.string()));
}

int show_plan(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const ConvertOptions options = options_from(context, arguments);
  Progress progress(output.talk(), output.progress(Progress::Unit::items));
  const convert::PlannedConversion planned =
      convert::plan_conversion(source_of(arguments), options, &progress);
  progress.clear();
  if (const auto file = arguments.text("--write-rules")) write_rules(output, planned.plan, *file);
  if (!arguments.has("--plan")) return 0;
  if (output.wants_json()) {
    Json plan = convert::to_json(planned.plan);
    plan["check"] = convert::to_json(planned.check);
    plan["forecast"] = convert::to_json(planned.forecast);
    output.json(plan);
  } else {
    show(output, planned);
  }
  return 0;
}

void confirm_replacement(Context& context, const ConvertOptions& options, const std::string& target) {
  if (!options.may_replace) return;
  context.require_confirmation(
      fmt::format("Drop every table and view in schema {} of {}?", options.schema, target));
}

int run_convert(Context& context, const Arguments& arguments) {
  if (arguments.has("--plan") || arguments.text("--write-rules")) return show_plan(context, arguments);
  Output& output = context.output();
  const std::filesystem::path source = source_of(arguments);
  const std::string target = target_of(arguments);
  const ConvertOptions options = options_from(context, arguments);
  confirm_replacement(context, options, target);
  const auto begin = std::chrono::steady_clock::now();
  Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
  const ConvertReport report = convert::convert(source, target, options, &progress);
  progress.clear();
  if (output.wants_json()) {
    output.json(convert::to_json(report));
  } else {
    show(output, report, std::chrono::steady_clock::now() - begin);
  }
  require_equal(report.tables, options.may_append);
  if (report.is_complete()) return 0;
  throw Error(ErrorKind::partial, "not all of the source has an equal in the target",
              "The report says what is missing or changed, and why.");
}

int run_verify(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const ConvertOptions options = options_from(context, arguments);
  Progress progress(output.talk(), output.progress(Progress::Unit::items));
  const std::vector<TableReport> tables =
      convert::verify_conversion(source_of(arguments), target_of(arguments), options, &progress);
  progress.clear();
  if (output.wants_json()) {
    output.json(convert::to_json(tables));
  } else {
    show(output, tables);
  }
  require_equal(tables);
  return 0;
}

std::vector<Argument> operands() {
  return {{.name = "SOURCE",
           .type = ArgumentType::file,
           .description = "the SQLite database; it is only read",
           .required = true},
          {.name = "TARGET", .type = ArgumentType::database, .description = "postgresql://[user@]host/name"}};
}

Argument schema_option() {
  return {.name = "--schema",
          .value_name = "NAME",
          .type = ArgumentType::text,
          .description = "schema of the target; it is made where it is missing (default: public)"};
}

Argument keep_case_option() {
  return {.name = "--keep-case",
          .description = "keep upper case in names, which then need quotes in PostgreSQL"};
}

Argument rules_option() {
  return {.name = "--rules",
          .value_name = "FILE",
          .type = ArgumentType::file,
          .description = "take types, names, what to skip and what to do with misfits from there"};
}

Argument workers_option() {
  return {.name = "--workers",
          .value_name = "N",
          .type = ArgumentType::integer,
          .description = "connections to the target, each with a reader of the source (default: 2)",
          .minimum = 1,
          .maximum = workers_max};
}

Command convert_verify_command() {
  return {
      .name = "verify",
      .summary = "compare a converted database with its source, row by row",
      .description =
          "Reads every value of both sides, and names rows that only one of them has. Nothing is\n"
          "written. Options that change names or the schema, and the rules, must be those of the conversion.",
      .operands = operands(),
      .options = {schema_option(), rules_option(), keep_case_option(), workers_option()},
      .exit_codes = "6 when a table differs; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db convert verify chinook.sqlite postgresql://localhost/chinook",
      .run = &run_verify};
}

}  // namespace

Command convert_command() {
  return {
      .name = "convert",
      .summary = "convert an SQLite database to PostgreSQL and compare every row",
      .description =
          "Reads the source once to choose types that hold every value, then loads all tables, makes keys,\n"
          "indexes, constraints and views, and compares each row with its source. What has no equal\n"
          "in PostgreSQL is listed, never dropped in silence. An interrupted conversion is gone on\n"
          "with by the same command. The source may be in use; it is read in the state of one moment.",
      .operands = operands(),
      .options =
          {{.name = "--plan",
            .description = "show what would be done, and write nothing; no target is needed"},
           {.name = "--write-rules",
            .value_name = "FILE",
            .type = ArgumentType::file,
            .description =
                "write what would be done to a new file, to be edited for --rules, and convert nothing"},
           rules_option(),
           schema_option(),
           {.name = "--replace", .description = "drop what stands in the schema first"},
           {.name = "--append", .description = "add the rows to the tables that stand in the schema"},
           {.name = "--atomic", .description = "do all in one transaction, on one connection"},
           {.name = "--rejects",
            .value_name = "FILE",
            .type = ArgumentType::file,
            .description =
                "write rows that cannot be stored there, as JSON lines; without it there must be none"},
           {.name = "--no-check", .description = "do not look for damage in the source first"},
           keep_case_option(),
           workers_option(),
           yes_option()},
      .commands = {convert_verify_command()},
      .exit_codes =
          "6 when the source is damaged, or a table differs from it after all; 10 when something has no "
          "equal in the\n"
          "target, was rejected or changed, as the report says; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db convert --plan chinook.sqlite",
      .run = &run_convert};
}

}  // namespace nerve::cli
