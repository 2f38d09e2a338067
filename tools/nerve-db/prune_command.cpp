// SPDX-License-Identifier: Apache-2.0
// nerve-db backup prune, hold and release
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "command.h"
#include "confirm.h"
#include "context.h"

#include "nerve/backups/retention.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace nerve::cli {

namespace {

using backups::Fate;
using backups::PruneDecision;
using backups::PruneReport;
using backups::Repository;

constexpr std::int64_t count_max = 100'000;
constexpr std::int64_t safety_days_max = 36'500;

backups::RetentionPolicy policy_from(const Arguments& arguments) {
  backups::RetentionPolicy policy;
  policy.last = arguments.integer("--keep-last").value_or(0);
  policy.hourly = arguments.integer("--keep-hourly").value_or(0);
  policy.daily = arguments.integer("--keep-daily").value_or(0);
  policy.weekly = arguments.integer("--keep-weekly").value_or(0);
  policy.monthly = arguments.integer("--keep-monthly").value_or(0);
  policy.yearly = arguments.integer("--keep-yearly").value_or(0);
  if (const auto days = arguments.integer("--keep-safety")) policy.safety = std::chrono::days(*days);
  return policy;
}

void show_decisions(Output& output, const PruneReport& report) {
  Table table{
      .columns = {{"ID"}, {"MADE"}, {"FATE"}, {"SIZE", Column::Align::right}, {"KEPT FOR"}, {"DATABASE"}},
      .rows = {}};
  for (const PruneDecision& decision : report.decisions) {
    const Style style = decision.fate == Fate::remove ? Style::warning : Style::good;
    table.rows.push_back({decision.backup.id.short_text(), output.time(decision.backup.created_at),
                          TableCell(std::string(to_string(decision.fate)), style),
                          format_size(decision.backup.file.size_bytes),
                          fmt::format("{}", fmt::join(decision.reasons, ", ")), decision.backup.source.path});
  }
  output.table(table);
}

/// Merging may write more than a removal frees.
std::string freed_text(const PruneReport& report) {
  return format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(report.freed_bytes, 0)));
}

std::string summary_of(const PruneReport& report) {
  return fmt::format("{} kept, {} merged, {} removed", report.count(Fate::keep), report.count(Fate::merge),
                     report.count(Fate::remove));
}

int run_prune(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  backups::PruneOptions options;
  options.policy = policy_from(arguments);
  options.source = context.named_database_file(backup_instead_for_postgresql);
  options.dry_run = true;
  const bool dry_run = arguments.has("--dry-run");
  const Repository repository = Repository::open(context.repository());
  std::optional<backups::BackupKey> key;
  if (names_key(arguments)) key.emplace(required_key(output, arguments, KeyUse::existing));
  if (!key) key = environment_key();
  options.key = key ? &*key : nullptr;

  PruneReport report = backups::prune(repository, options, system_clock());
  for (const std::string& name : report.unreadable) {
    output.warning(fmt::format("backup {} cannot be trusted, and is left alone", name));
  }
  const bool has_work = report.count(Fate::remove) + report.count(Fate::merge) > 0;
  if (!dry_run && has_work) {
    require_answerable(output, arguments.has("--yes"), "Add --yes to do it, or --dry-run to see what.");
    if (!arguments.has("--yes")) {
      show_decisions(output, report);
      if (!confirm(output, fmt::format("Remove {} backups?", report.count(Fate::remove)))) {
        throw CancelledError("the removal was declined");
      }
    }
    options.dry_run = false;
    Progress progress(output.talk(), output.progress(Progress::Unit::items));
    report = backups::prune(repository, options, system_clock(), &progress);
  }
  if (output.wants_json()) {
    output.json(report.to_json());
    return 0;
  }
  if (dry_run) {
    show_decisions(output, report);
    output.note(fmt::format("{} would be the result, and about {} free; nothing was changed",
                            summary_of(report), freed_text(report)));
    return 0;
  }
  output.line(fmt::format("{}, {} freed", summary_of(report), freed_text(report)), Style::good);
  return 0;
}

int run_hold(Context& context, const Arguments& arguments) {
  const Repository repository = Repository::open(context.repository());
  const backups::Manifest manifest = choose_backup(
      repository, *arguments.text("ID"), context.named_database_file(backup_instead_for_postgresql));
  backups::hold_backup(repository, manifest.id, arguments.text("--reason").value_or(""), system_clock());
  if (context.output().wants_json()) {
    context.output().json({{"id", manifest.id.to_string()}, {"held", true}});
  } else {
    context.output().line(fmt::format("backup {} is held", manifest.id.short_text()), Style::good);
  }
  return 0;
}

int run_release(Context& context, const Arguments& arguments) {
  const Repository repository = Repository::open(context.repository());
  const backups::Manifest manifest = choose_backup(
      repository, *arguments.text("ID"), context.named_database_file(backup_instead_for_postgresql));
  const bool was_held = backups::release_backup(repository, manifest.id);
  if (context.output().wants_json()) {
    context.output().json({{"id", manifest.id.to_string()}, {"held", false}, {"was_held", was_held}});
  } else {
    context.output().line(was_held ? fmt::format("backup {} is no longer held", manifest.id.short_text())
                                   : fmt::format("backup {} was not held", manifest.id.short_text()),
                          Style::good);
  }
  return 0;
}

Parameter keep_option(std::string_view name, std::string_view description) {
  return {.name = name,
          .value_name = "N",
          .type = ValueType::integer,
          .description = description,
          .minimum = 0,
          .maximum = count_max};
}

Parameter held_operand() {
  return {.name = "ID",
          .type = ValueType::backup,
          .description = "id of the backup, its last 8 characters, or latest",
          .required = true};
}

}  // namespace

Command prune_command() {
  return {
      .name = "prune",
      .summary = "remove the backups that a policy does not keep",
      .description =
          "Of each database the newest ones are kept, and the newest of each of so many hours, days, weeks,\n"
          "months and years, in UTC. Always kept: what is held, the newest, the newest verified and the "
          "newest\n"
          "with rows, and the full of a delta that is kept. A kept delta is merged with the ones before it\n"
          "that go. An abort at any point loses nothing that is to be kept. Asks before it removes.",
      .options = {repository_option(),
                  database_option(),
                  keep_option("--keep-last", "the newest N"),
                  keep_option("--keep-hourly", "the newest of each of N hours"),
                  keep_option("--keep-daily", "the newest of each of N days"),
                  keep_option("--keep-weekly", "the newest of each of N weeks"),
                  keep_option("--keep-monthly", "the newest of each of N months"),
                  keep_option("--keep-yearly", "the newest of each of N years"),
                  {.name = "--keep-safety",
                   .value_name = "DAYS",
                   .type = ValueType::integer,
                   .description = "what restores and migrations kept, for so many days (default: 7)",
                   .minimum = 0,
                   .maximum = safety_days_max},
                  key_options()[0],
                  key_options()[1],
                  {.name = "--yes", .description = "remove without asking"},
                  {.name = "--dry-run",
                   .description = "show what would be kept and removed, change nothing"}},
      .example = "nerve-db backup prune --db chinook.sqlite --keep-last 3 --keep-daily 7 --dry-run",
      .run = &run_prune};
}

Command hold_command() {
  return {.name = "hold",
          .summary = "keep a backup from being pruned",
          .operands = {held_operand()},
          .options = {repository_option(),
                      database_option(),
                      {.name = "--reason",
                       .value_name = "TEXT",
                       .type = ValueType::text,
                       .description = "why, for people"}},
          .example = "nerve-db backup hold latest --db chinook.sqlite --reason 'before the audit'",
          .run = &run_hold};
}

Command release_command() {
  return {.name = "release",
          .summary = "let a backup that was held be pruned again",
          .operands = {held_operand()},
          .options = {repository_option(), database_option()},
          .example = "nerve-db backup release latest --db chinook.sqlite",
          .run = &run_release};
}

}  // namespace nerve::cli
