// SPDX-License-Identifier: Apache-2.0
#include "migration_checklist.h"

#include "actor.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "maintenance_window.h"
#include "notifier.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/backups/backup.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/migrations/lint.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace nerve::cli {

namespace {

/// An empty database has nothing to lose.
bool has_pages(const std::filesystem::path& file) {
  return sqlite::read_file_facts(file).size_bytes > 0;
}

}  // namespace

MigrationChecklist::MigrationChecklist(Context& context, const Arguments& arguments,
                                       const MigrationTarget& target)
    : context_(context), target_(target), wants_backup_(!arguments.has("--no-backup")) {
  if (!arguments.has("--window")) return;
  const Config& config = context.config();
  require_window(config.text_list("maintenance.windows"), config.where("maintenance.windows"),
                 system_clock().now());
}

void MigrationChecklist::before(const std::vector<migrations::Step>& steps) {
  for (const migrations::Step& step : steps) {
    migrations_.push_back(step.migration->reference.to_string());
    if (step.direction == migrations::Direction::up) warn_of(*step.migration);
  }
  warn_of_place();
  require_sound("before");
  if (wants_backup_) make_backup();
  has_begun_ = true;
  tell("started", {});
}

void MigrationChecklist::after(const std::vector<migrations::StepResult>& results) {
  if (results.empty()) return;
  require_sound("after");
  tell("finished", {});
}

void MigrationChecklist::failed(const std::string& reason) {
  if (!has_begun_) return;
  if (!backup_id_.empty()) {
    context_.output().note(
        fmt::format("the database as it was before this run is backup {}: {}", backup_id_, restore_command_));
  }
  tell("failed", reason);
}

void MigrationChecklist::warn_of(const migrations::Migration& migration) {
  for (const migrations::LintFinding& finding : migrations::lint(migration, target_.url.engine)) {
    context_.output().warning(fmt::format("{}:{}: {}", finding.file, finding.line, finding.message));
  }
}

std::vector<health::Check> MigrationChecklist::critical_checks(health::Skipped skip) const {
  if (target_.url.engine != db::Dialect::sqlite || !has_pages(target_.url.location)) return {};
  std::vector<health::Check> checks =
      sqlite::check_health(target_.url.location, {.skip = std::move(skip)}).checks;
  std::erase_if(checks, [](const health::Check& one) { return one.status != health::Status::critical; });
  return checks;
}

/// Nothing there is damage, and a migration may be what makes room.
void MigrationChecklist::warn_of_place() {
  health::Skipped others;
  for (const std::string_view id : sqlite::health_check_ids()) {
    const auto place = sqlite::place_check_ids();
    if (std::ranges::find(place, id) == place.end()) others.emplace(id);
  }
  for (const health::Check& check : critical_checks(others)) {
    context_.output().warning(fmt::format("{}: {}", check.id, check.message));
  }
}

void MigrationChecklist::require_sound(const std::string& moment) {
  const auto place = sqlite::place_check_ids();
  for (const health::Check& check : critical_checks({place.begin(), place.end()})) {
    throw IntegrityError(fmt::format("health {} the migration: {}: {}", moment, check.id, check.message),
                         restore_command_.empty() ? "Mend it first: " + check.fix
                                                  : "Go back to how it was: " + restore_command_);
  }
}

void MigrationChecklist::make_backup() {
  Output& output = context_.output();
  if (target_.url.engine != db::Dialect::sqlite) {
    output.note("no backup of PostgreSQL is made here: make one with pg_dump where you need a way back");
    return;
  }
  if (!has_pages(target_.url.location)) return;
  const auto repository = open_or_create_repository(context_.repository());
  backups::BackupOptions options;
  options.on_note = [&output](const std::string& note) { output.note(note); };
  std::optional<backups::BackupKey> key = key_of_secure_store(context_, target_.url.location);
  if (!key && backups::has_encrypted_backup(repository, target_.url.location)) {
    key = passphrase_at_hand(output, KeyUse::existing);
    if (!key) {
      throw DeniedError(
          fmt::format(
              "the backups of {} are encrypted, and no passphrase is given for the one before the migration",
              target_.url.location),
          "Give it in NERVE_PASSPHRASE, or make a backup yourself and add --no-backup.");
    }
  }
  options.key = key ? &*key : nullptr;
  const backups::Manifest manifest = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    return backups::create_backup(target_.url.location, repository, options, system_clock(), &progress);
  }();
  backup_id_ = manifest.id.short_text();
  restore_command_ = fmt::format("nerve-db restore {} --repo {} --db {}", backup_id_,
                                 shell_word(repository.path().string()), shell_word(target_.url.location));
  output.note("backup before the migration: " + backup_id_);
}

void MigrationChecklist::tell(const std::string& event, const std::string& detail) {
  const auto& command = context_.config().text_list("maintenance.notify");
  if (command.empty()) return;
  try {
    notify(command, {{"event", "migration_" + event},
                     {"database", target_.database->name()},
                     {"migrations", migrations_},
                     {"backup", backup_id_},
                     {"actor", current_actor()},
                     {"at", system_clock().now().to_text()},
                     {"detail", detail}});
  } catch (const Error& error) {
    context_.output().warning(error.what());
  }
}

}  // namespace nerve::cli
