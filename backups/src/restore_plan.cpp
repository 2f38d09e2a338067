// SPDX-License-Identifier: Apache-2.0
#include "restore_plan.h"

#include "durable_file.h"
#include "target_path.h"
#include "target_state.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace nerve::backups {
namespace {

/// A restore over the file of a backup would leave that backup without its file.
void require_outside(const Repository& repository, const std::filesystem::path& target) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::weakly_canonical(repository.path(), error);
  const auto [rest, ignored] = std::mismatch(folder.begin(), folder.end(), target.begin(), target.end());
  if (rest == folder.end()) {
    throw ConflictError(fmt::format("{} is inside the backup repository", target.string()),
                        "Restore into another folder.");
  }
}

/// Something that never was a database is more probably a wrong path than a wrecked database.
void require_replaceable(const sqlite::FileFacts& facts, const Manifest& manifest) {
  switch (facts.kind) {
    case sqlite::FileKind::folder:
    case sqlite::FileKind::not_regular:
    case sqlite::FileKind::denied:
      sqlite::require_database(facts);
      return;
    case sqlite::FileKind::not_sqlite:
    case sqlite::FileKind::maybe_encrypted:
      if (source_name(facts.path) == manifest.source.path) return;
      throw ConflictError(
          fmt::format("{} is no SQLite database, and the backup was not made of it", facts.path.string()),
          "Check the path; to replace the file all the same, move it away first.");
    case sqlite::FileKind::missing:
    case sqlite::FileKind::empty:
    case sqlite::FileKind::sqlite:
      return;
  }
}

void require_unused(const std::filesystem::path& target, RestorePlan& plan) {
  const sqlite::Holders holders = sqlite::find_holders(target);
  if (!holders.processes.empty()) throw_in_use(target, holders.describe());
  if (!lease_if_possible(target) && !holders.is_complete()) {
    plan.notes.emplace_back("not every process could be looked at for open files; SQLite's locks must do");
  }
}

void plan_replacement(const Manifest& manifest, RestorePlan& plan) {
  const sqlite::FileFacts facts = sqlite::read_file_facts(plan.target);
  require_replaceable(facts, manifest);
  plan.replaces = facts.kind != sqlite::FileKind::missing;
  plan.current_size_bytes = facts.size_bytes;
  plan.safety_backup = look_at(plan.target).has_content();
  if (plan.replaces) require_unused(plan.target, plan);
  if (plan.replaces && ::access(plan.target.c_str(), W_OK) != 0) {
    const int code = errno;
    throw DeniedError(
        fmt::format("{} is write-protected: {}", plan.target.string(), std::system_category().message(code)),
        "Make it writable for you, or restore into a new file with --to.");
  }
}

/// Where nothing is lost, at an empty place, that it is another database is only worth a note.
void tell_other_database(const Repository& repository, const Manifest& manifest, bool may_replace,
                         RestorePlan& plan) {
  if (source_name(plan.target) == manifest.source.path) return;
  plan.notes.push_back(fmt::format("the backup was made of another database, {}", manifest.source.path));
  plan.other_database = plan.safety_backup;
  if (!plan.other_database || may_replace) return;
  throw ConflictError(
      fmt::format("{} would be replaced by backup {} of another database, {}", plan.target.string(),
                  manifest.id.short_text(), manifest.source.path),
      fmt::format("If that is meant, add --other-database; otherwise see whose backups there are: "
                  "nerve-db backup list --repo {}.",
                  shell_word(repository.path().string())));
}

}  // namespace

void throw_in_use(const std::filesystem::path& target, const std::string& who) {
  throw ConflictError(fmt::format("{} is open in {}", target.string(), who.empty() ? "another process" : who),
                      "Stop what uses it, or restore into a new file with --to.");
}

std::optional<sqlite::ExclusiveLease> lease_if_possible(const std::filesystem::path& target) {
  sqlite::ExclusiveLease lease(target);
  if (lease.state() == sqlite::ExclusiveLease::State::held) return lease;
  if (lease.state() == sqlite::ExclusiveLease::State::busy) {
    throw_in_use(target, sqlite::find_holders(target).describe());
  }
  return std::nullopt;
}

RestorePlan plan_restore(const Repository& repository, const Manifest& manifest, const RestoreTarget& target,
                         bool may_replace_other) {
  RestorePlan plan;
  plan.backup = manifest.id;
  plan.backup_created_at = manifest.created_at;
  plan.restored_size_bytes = manifest.database_bytes();
  plan.restored_rows = manifest.rows_total();
  plan.backup_source = manifest.source.path;
  if (manifest.is_emptied) {
    plan.notes.emplace_back("the backup holds no rows: the database had lost them all when it was made");
  }
  if (manifest.state == State::damaged) {
    plan.notes.emplace_back(
        "the database was damaged when it was backed up; 'nerve-db salvage' makes a database of what can be "
        "read from the file");
  }
  if (target.mode == RestoreTarget::Mode::new_file) {
    require_free_name(target.path, "Give the name of a new file, or replace the database there with --db.");
  }
  plan.target = resolve_target(target.path);
  require_outside(repository, plan.target);
  require_writable_folder(
      plan.target.parent_path(),
      "A restore replaces the file, so it must be allowed to write in its folder; or use --to.");
  if (target.mode == RestoreTarget::Mode::in_place) {
    plan_replacement(manifest, plan);
    tell_other_database(repository, manifest, may_replace_other, plan);
  }
  require_space(plan.target.parent_path(), manifest.database_bytes());
  return plan;
}

Json RestorePlan::to_json() const {
  return {{"backup", backup.to_string()},
          {"backup_created_at", backup_created_at.to_text()},
          {"target", source_name(target)},
          {"replaces", replaces},
          {"current_size_bytes", current_size_bytes},
          {"restored_size_bytes", restored_size_bytes},
          {"restored_rows", restored_rows ? Json(*restored_rows) : Json()},
          {"safety_backup", safety_backup},
          {"backup_source", backup_source},
          {"other_database", other_database},
          {"notes", notes}};
}

}  // namespace nerve::backups
