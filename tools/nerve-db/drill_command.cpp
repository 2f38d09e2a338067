// SPDX-License-Identifier: Apache-2.0
// nerve-db backup drill
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "context.h"
#include "row_count.h"
#include "store_identities.h"
#include "workspace_set.h"

#include "nerve/backups/drill.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

using backups::DrillFolder;
using backups::DrillReport;
using backups::Manifest;
using backups::Repository;

constexpr double bytes_per_mb = 1e6;

/// The newest of each database that the repository has good backups of.
std::vector<Manifest> newest_of_each(const Repository& repository) {
  std::set<std::string> sources;
  for (const backups::Entry& entry : repository.list()) {
    if (entry.manifest && entry.manifest->is_asked_for()) sources.insert(entry.manifest->source.path);
  }
  std::vector<Manifest> newest;
  newest.reserve(sources.size());
  for (const std::string& source : sources) newest.push_back(repository.latest(source));
  if (!newest.empty()) return newest;
  throw NotFoundError(fmt::format("there is no good backup in {}", repository.path().string()),
                      "Make one: nerve-db backup.");
}

/// What would be restored after a loss: the newest of the database that is named, the newest set of the
/// workspace, or the newest of each database.
std::vector<Manifest> meant(Context& context, const Repository& repository) {
  if (const auto file = context.named_database_file(backup_instead_for_postgresql)) {
    return {repository.latest(*file)};
  }
  if (context.workspace().folder) {
    if (const auto set = latest_set_of_workspace(context, repository)) {
      for (const std::string& note : notes_of(set->passed_over)) context.output().note("note: " + note);
      return set->members;
    }
  }
  return newest_of_each(repository);
}

/// Without those that were restored lately enough.
std::vector<Manifest> due_of(const std::vector<Manifest>& manifests, const Arguments& arguments,
                             const Repository& repository, Output& output) {
  const auto interval = arguments.duration("--older-than");
  if (!interval) return manifests;
  std::vector<Manifest> due;
  for (const Manifest& manifest : manifests) {
    const auto last = backups::last_restore_of(repository, manifest.source.path);
    if (!last || system_clock().now() - *last >= *interval) {
      due.push_back(manifest);
    } else {
      output.note(fmt::format("a backup of {} was restored {}, so no drill is due", manifest.source.path,
                              output.time(*last)));
    }
  }
  return due;
}

std::string rate_of(const DrillReport& report) {
  return fmt::format("{:.1f} MB/s", static_cast<double>(report.bytes_per_second()) / bytes_per_mb);
}

void show_report(Output& output, const DrillReport& report) {
  const std::string what = fmt::format("{} of {}", report.id.short_text(), report.source);
  if (!report.ok()) {
    output.line(fmt::format("{}: it cannot be relied on", what), Style::bad);
    for (const std::string& problem : report.problems) output.line("  " + problem);
    return;
  }
  output.line(
      fmt::format("{}: restored {} in {} ({}), checked in {}", what, format_size(report.size_bytes),
                  format_duration(report.restoring), rate_of(report), format_duration(report.checking)),
      Style::good);
  output.line(fmt::format("  {}, {} without parent, content {}", row_count(report.rows),
                          format_count(report.foreign_key_violations), report.content_sha256));
  for (const std::string& one : report.unchecked) output.line("  not checked: " + one, Style::warning);
}

void show_reports(Output& output, const Repository& repository, const std::vector<DrillReport>& reports) {
  if (!output.wants_json()) {
    for (const DrillReport& report : reports) show_report(output, report);
    return;
  }
  Json list = Json::array();
  for (const DrillReport& report : reports) list.push_back(report.to_json());
  output.json({{"repository", backups::source_name(repository.path())},
               {"ok", std::ranges::all_of(reports, &DrillReport::ok)},
               {"drills", std::move(list)}});
}

void require_right(const std::vector<DrillReport>& reports, const Repository& repository) {
  const auto wrong = std::ranges::find_if_not(reports, &DrillReport::ok);
  if (wrong == reports.end()) return;
  throw IntegrityError(
      fmt::format("the drill with backup {} failed: {}", wrong->id.short_text(), wrong->problems.front()),
      fmt::format(
          "Make a new full now: nerve-db backup --full --repo {} --db {}. Then look for what is wrong: "
          "nerve-db backup verify --all --repo {}.",
          shell_word(repository.path().string()), shell_word(wrong->source),
          shell_word(repository.path().string())));
}

DrillFolder open_folder(const Arguments& arguments) {
  const auto named = arguments.text("--scratch");
  return named ? DrillFolder(*named) : DrillFolder();
}

/// With the key of what is restored: of the database that is named, of the secure store of a workspace, or of
/// all.
KeyedRepository repository_to_try(Context& context, const Arguments& arguments) {
  std::optional<std::filesystem::path> database = context.named_database_file(backup_instead_for_postgresql);
  if (!database && context.workspace().folder) database = store_file(context, Store::secure);
  return open_with_needed_key(context, arguments, database);
}

int run_drill(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const KeyedRepository keyed = repository_to_try(context, arguments);
  const Repository& repository = keyed.repository;
  const std::vector<Manifest> due = due_of(meant(context, repository), arguments, repository, output);
  std::vector<DrillReport> reports;
  if (!due.empty()) {
    const DrillFolder folder = open_folder(arguments);
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    for (const Manifest& manifest : due) {
      const backups::BackupKey* key =
          manifest.is_encrypted() || names_key(arguments) ? keyed.key.get() : nullptr;
      reports.push_back(backups::drill_backup(
          repository, manifest, folder, {.key = key, .examine = identity_examination(context, manifest)},
          system_clock(), &progress));
    }
  }
  show_reports(output, repository, reports);
  require_right(reports, repository);
  return 0;
}

}  // namespace

Command drill_command() {
  constexpr std::int64_t hour_s = 3600;
  constexpr std::int64_t year_s = 366 * 24 * hour_s;
  return {
      .name = "drill",
      .summary = "restore the newest backup to a scratch folder, and check it",
      .description =
          "Proves that a restore works, and says how long it takes: the newest backup of a database is\n"
          "restored to an empty folder, read back, checked by SQLite, counted, and removed. The proof is\n"
          "noted for health. In a workspace, without --db, it is the newest whole set of both stores; else,\n"
          "without --db, the newest backup of each database of the repository.",
      .options = with_key_options(
          {repository_option(),
           whose_option("database whose newest backup is restored"),
           {.name = "--scratch",
            .value_name = "DIR",
            .type = ArgumentType::folder,
            .description = "empty folder to restore to (default: a new one in $TMPDIR or /tmp)"},
           {.name = "--older-than",
            .value_name = "SPAN",
            .type = ArgumentType::duration,
            .description = "only where the last proof by a restore is older: daily, weekly, 30d",
            .choices = {"daily", "weekly", "30d"},
            .minimum = hour_s,
            .maximum = year_s}}),
      .exit_codes = "6 when a backup cannot be restored; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db backup drill --db chinook.sqlite",
      .run = &run_drill};
}

}  // namespace nerve::cli
