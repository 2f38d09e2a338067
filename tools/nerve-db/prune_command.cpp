// SPDX-License-Identifier: Apache-2.0
// nerve-db backup prune, hold and release
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "confirm.h"
#include "context.h"
#include "keep_options.h"

#include "nerve/backups/retention.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using backups::Fate;
using backups::PruneDecision;
using backups::PruneReport;
using backups::Repository;

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

/// False when a signal or the end came first.
bool pause_until(std::chrono::steady_clock::time_point end) {
  constexpr int pause_ms = 200;
  if (std::chrono::steady_clock::now() >= end) return false;
  ::poll(nullptr, 0, pause_ms);
  return !interrupted();
}

/// Waits for its turn as long as --wait says: a backup that runs keeps everybody from removing.
PruneReport prune_in_turn(const Repository& repository, const backups::PruneOptions& options,
                          const Arguments& arguments, ProgressSink* progress) {
  const auto end =
      std::chrono::steady_clock::now() + arguments.duration("--wait").value_or(std::chrono::seconds(0));
  for (;;) {
    try {
      return backups::prune(repository, options, system_clock(), progress);
    } catch (const ConflictError&) {
      if (!pause_until(end)) throw;
    }
  }
}

int run_prune(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  backups::PruneOptions options;
  options.policy = retention_policy(arguments);
  options.source = context.named_database_file(backup_instead_for_postgresql);
  options.dry_run = true;
  const bool dry_run = arguments.has("--dry-run");
  const KeyedRepository keyed = open_with_keys_at_hand(context, arguments, options.source);
  const Repository& repository = keyed.repository;
  options.key = keyed.key.get();

  PruneReport report = prune_in_turn(repository, options, arguments, nullptr);
  for (const std::string& name : report.unreadable) {
    output.warning(fmt::format("backup {} cannot be trusted, and is left alone", name));
  }
  for (const std::string& name : report.unauthenticated) {
    output.warning(fmt::format("backup {} is not authenticated, and is left alone", name));
  }
  if (!report.damaged.empty()) {
    output.warning(
        fmt::format("{} backup{} with known damage stay, with what they lead back to. To let them go, move "
                    "their folders out of the repository and run 'nerve-db backup repair'",
                    report.damaged.size(), report.damaged.size() == 1 ? "" : "s"));
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
    report = prune_in_turn(repository, options, arguments, &progress);
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
  const KeyedRepository keyed =
      open_with_keys_at_hand(context, arguments, context.database_of_latest(backup_instead_for_postgresql));
  const Repository& repository = keyed.repository;
  const backups::Manifest manifest = choose_backup(repository, *arguments.text("ID"),
                                                   context.database_of_latest(backup_instead_for_postgresql));
  backups::hold_backup(repository, manifest.id, arguments.text("--reason").value_or(""), system_clock());
  if (context.output().wants_json()) {
    context.output().json({{"id", manifest.id.to_string()}, {"held", true}});
  } else {
    context.output().line(fmt::format("backup {} is held", manifest.id.short_text()), Style::good);
  }
  return 0;
}

int run_release(Context& context, const Arguments& arguments) {
  const KeyedRepository keyed =
      open_with_keys_at_hand(context, arguments, context.database_of_latest(backup_instead_for_postgresql));
  const Repository& repository = keyed.repository;
  const backups::Manifest manifest = choose_backup(repository, *arguments.text("ID"),
                                                   context.database_of_latest(backup_instead_for_postgresql));
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

std::vector<Argument> prune_options() {
  constexpr std::int64_t one_day_s = 86'400;
  std::vector<Argument> options{repository_option(), database_option()};
  for (Argument& option : keep_options()) options.push_back(std::move(option));
  options = with_key_options(std::move(options));
  options.push_back({.name = "--wait",
                     .value_name = "SPAN",
                     .type = ArgumentType::duration,
                     .description = "wait so long while another process works in the repository",
                     .choices = {"1m", "10m", "1h"},
                     .minimum = 1,
                     .maximum = one_day_s});
  options.push_back({.name = "--yes", .description = "remove without asking"});
  options.push_back(
      {.name = "--dry-run", .description = "show what would be kept and removed, change nothing"});
  return options;
}

Argument held_operand() {
  return {.name = "ID",
          .type = ArgumentType::backup,
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
          "that go. An abort at any point loses nothing that is to be kept. Asks before it removes. The "
          "newest\n"
          "that is kept is proved first, where that was not done within seven days; where it is damaged,\n"
          "nothing of its history goes.",
      .options = prune_options(),
      .example = "nerve-db backup prune --db chinook.sqlite --keep-last 3 --keep-daily 7 --dry-run",
      .run = &run_prune};
}

Command hold_command() {
  return {.name = "hold",
          .summary = "keep a backup from being pruned",
          .operands = {held_operand()},
          .options = with_key_options({repository_option(),
                                       database_option(),
                                       {.name = "--reason",
                                        .value_name = "TEXT",
                                        .type = ArgumentType::text,
                                        .description = "why, for people"}}),
          .example = "nerve-db backup hold latest --db chinook.sqlite --reason 'before the audit'",
          .run = &run_hold};
}

Command release_command() {
  return {.name = "release",
          .summary = "let a backup that was held be pruned again",
          .operands = {held_operand()},
          .options = with_key_options({repository_option(), database_option()}),
          .example = "nerve-db backup release latest --db chinook.sqlite",
          .run = &run_release};
}

}  // namespace nerve::cli
