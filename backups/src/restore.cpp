// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/restore.h"

#include "authentication.h"
#include "container/chain.h"
#include "container_backup.h"
#include "damaged_copy.h"
#include "layout.h"
#include "partial_backup.h"
#include "read_back.h"
#include "restore_plan.h"
#include "staged_file.h"
#include "table_rows.h"
#include "target_state.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/replication.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <optional>
#include <set>
#include <string_view>

namespace nerve::backups {
namespace {

constexpr int rest_attempts_max = 3;

/// One restore, from the verified backup to the checked result.
class Restore {
 public:
  Restore(const Repository& repository, const Manifest& manifest, const RestoreOptions& options,
          const Clock& clock, ProgressSink* progress)
      : repository_(repository.for_key(options.key)),
        manifest_(manifest),
        options_(options),
        clock_(clock),
        progress_(progress),
        keyring_(options.key != nullptr ? *repository_.keyring() : without_key_) {}

  RestoreResult run(const RestoreTarget& target);

 private:
  std::string name() const;
  void note_damage_of_chain() const;
  [[noreturn]] void throw_damaged(std::string_view what) const;
  void require_for_salvage();
  void require_authentic() const;
  void require_good_backup();
  void open_container();
  void stage(StagedFile& staged);
  void stage_container(StagedFile& staged);
  void replace(StagedFile& staged);
  bool is_target_secret() const;
  TargetState keep_current_state();
  std::optional<TargetState> settle(const TargetState& before);
  bool swap_in(StagedFile& staged, const TargetState& expected);
  void put_new_file(StagedFile& staged);
  void check_restored();
  void note_proof();

  const std::filesystem::path& target() const { return result_.plan.target; }
  std::filesystem::path backup_file() const {
    return repository_.folder_of(manifest_.id) / manifest_.file.name;
  }

  Repository repository_;  ///< for the key of the options
  Manifest manifest_;
  const RestoreOptions& options_;
  const Clock& clock_;
  ProgressSink* progress_;
  Keyring without_key_;
  Keyring& keyring_;
  bool is_for_new_file_ = false;
  std::optional<Chain> chain_;      ///< of a backup that is a container
  std::optional<PageState> state_;  ///< of that chain: what each restored page is compared with
  RestoreResult result_;
  TargetState restored_state_;  ///< right after the change
};

RestoreResult Restore::run(const RestoreTarget& requested) {
  is_for_new_file_ = requested.mode == RestoreTarget::Mode::new_file;
  std::optional<RepositoryLock> lock = RepositoryLock::shared(repository_);
  // It may have been merged before the lock was had.
  manifest_ = repository_.read(manifest_.id);
  require_authentic();
  require_good_backup();
  result_.plan = plan_restore(repository_, manifest_, requested, options_.may_replace_other);
  if (result_.plan.safety_backup) require_writable(repository_);
  if (options_.dry_run) return std::move(result_);
  if (options_.confirm && !options_.confirm(result_.plan)) {
    throw CancelledError(fmt::format("the restore of {} was declined", target().string()));
  }
  if (result_.plan.safety_backup) {
    // With the lock of a writer what a dead restore left in the repository is removed, too.
    lock.reset();
    lock = RepositoryLock::for_writing(repository_);
  }
  {
    StagedFile staged(target());
    stage(staged);
    if (options_.examine && manifest_.state == State::good) options_.examine(staged.path());
    if (is_for_new_file_) {
      throw_if_interrupted();
      put_new_file(staged);
    } else {
      replace(staged);
    }
  }
  result_.done = true;
  result_.mode = mode_text(restored_state_.mode);
  if (manifest_.state == State::good) {
    check_restored();
  } else {
    result_.notes.push_back(result_.plan.notes.front());
  }
  return std::move(result_);
}

std::string Restore::name() const {
  return fmt::format("backup {}", manifest_.id.to_string());
}

/// So that nothing is built on it, and "latest" and a prune do not count on it: a verification finds which
/// container it is, and notes it.
void Restore::note_damage_of_chain() const {
  if (!manifest_.container) return;
  try {
    verify_backup(repository_, manifest_, {.key = options_.key}, progress_);
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;  // what keeps it from being noted is no reason to hide the damage
  }
}

void Restore::throw_damaged(std::string_view what) const {
  note_damage_of_chain();
  const std::string copies = hint_of_copies(repository_.path(), repository_.witness_folder());
  throw IntegrityError(
      fmt::format("{} is damaged: {}", name(), what),
      fmt::format("Restore another one: 'nerve-db backup list --repo {}'.{}{}",
                  shell_word(repository_.path().string()), copies.empty() ? "" : " ", copies));
}

/// A damaged database may be had as a file, and must not take the place of another.
void Restore::require_for_salvage() {
  const bool is_raw = !manifest_.container;
  if (!is_raw && is_for_new_file_) return;
  throw IntegrityError(
      fmt::format("{} is of a database that was damaged", name()),
      is_raw
          ? fmt::format("Restore another one; 'nerve-db salvage --db {} --to FILE' makes a database of the "
                        "rows that can still be read from this one.",
                        shell_word(backup_file().string()))
          : fmt::format("Restore another one, or this one into a new file: nerve-db restore {} --repo {} "
                        "--to FILE; 'nerve-db salvage' makes a database of what can be read from it.",
                        manifest_.id.short_text(), shell_word(repository_.path().string())));
}

/// Who may write to a repository can put a backup there, but not one that the key proves.
void Restore::require_authentic() const {
  if (options_.may_be_unauthenticated) return;
  const bool is_of_encrypted = has_encrypted_backup(repository_, manifest_.source.path);
  if (!is_of_encrypted && !options_.requires_authentication) return;
  // That the key is missing is told where it is needed.
  if (manifest_.is_encrypted() && options_.key == nullptr) return;
  const std::string reason = reason_to_doubt(manifest_, keyring_);
  if (reason.empty()) return;
  throw IntegrityError(
      fmt::format("{} is not authenticated: {}", name(), reason),
      fmt::format(
          "Restore another one: 'nerve-db backup list --repo {}' with the key shows which count. If you know "
          "where this one comes from, give its id and add --unauthenticated.",
          shell_word(repository_.path().string())));
}

void Restore::require_good_backup() {
  if (manifest_.state == State::damaged) require_for_salvage();
  if (manifest_.container) return open_container();
  const VerifyReport report = verify_backup(repository_, manifest_, {}, progress_);
  if (!report.ok()) throw_damaged(report.problems.front());
  sqlite::Session copy(backup_file(), {.mode = sqlite::OpenMode::immutable});
  const sqlite::Damage damage = sqlite::integrity_check(copy, progress_);
  if (damage.is_found()) throw_damaged(damage.describe());
  for (const std::string& one :
       sqlite::check_virtual_tables(copy, sqlite::VirtualTableCheck::whole, progress_).damaged)
    result_.notes.push_back("the virtual table was damaged when it was backed up: " + one);
}

/// The pages themselves are compared with their hashes when they are written, before anything is replaced.
void Restore::open_container() {
  try {
    chain_.emplace(open_chain(repository_, manifest_, keyring_));
    state_.emplace(chain_->state(repository_.path()));
    if (!options_.dry_run) return;
    std::set<BackupId> verified;
    chain_->verify("verifying", progress_, verified);
  } catch (const IntegrityError& error) {
    throw_damaged(error.what());
  }
}

void Restore::stage(StagedFile& staged) {
  if (chain_) return stage_container(staged);
  const StoredFile written =
      copy_file_durably(backup_file(), staged.file(), staged.path(), "copying the backup", progress_);
  if (written.sha256 != manifest_.file.sha256) {
    throw IntegrityError(fmt::format("backup {} changed while it was copied", manifest_.id.to_string()),
                         "Look for what else writes to the repository.");
  }
  compare_with_sha256(staged.file(), staged.path(), written.sha256, progress_);
}

void Restore::stage_container(StagedFile& staged) {
  try {
    chain_->restore(staged.file(), staged.path(), "restoring", progress_);
  } catch (const IntegrityError& error) {
    throw_damaged(error.what());
  }
  sync_descriptor(staged.file(), staged.path());
  compare_with_state(staged.file(), staged.path(), *chain_, *state_, progress_);
  if (manifest_.checks.source != "none") return;
  sqlite::Session copy(staged.path(), {.mode = sqlite::OpenMode::immutable});
  const sqlite::Damage damage = sqlite::quick_check(copy, progress_);
  if (damage.is_found()) throw_damaged(damage.describe());
}

/// Everything up to the rename is made again when somebody wrote to the database after it was kept.
void Restore::replace(StagedFile& staged) {
  for (int attempt = 0; attempt < rest_attempts_max; ++attempt) {
    const TargetState before = keep_current_state();
    const std::optional<TargetState> at_rest = settle(before);
    if (at_rest && swap_in(staged, *at_rest)) return;
  }
  throw ConflictError(fmt::format("{} keeps changing", target().string()),
                      "Stop what writes to it, or restore into a new file with --to.");
}

/// Whether what stands at the target must not be kept in the clear: its backups are encrypted, or, where it
/// has none, those of the database that takes its place.
bool Restore::is_target_secret() const {
  return has_encrypted_backup(repository_, target()) ||
         (manifest_.is_encrypted() && !repository_.newest_of(target()));
}

/// The state that it kept.
TargetState Restore::keep_current_state() {
  result_.safety.reset();
  result_.safety_is_damaged = false;
  TargetState state = look_at(target());
  if (!state.has_content()) return state;
  try {
    if (state.database.size_bytes > 0) {
      roll_back_journal(target());
      state = look_at(target());
      BackupOptions options;
      // What is kept encrypted must not lie in the open because of a restore.
      const bool is_secret = is_target_secret();
      options.form = manifest_.container || is_secret ? Form::automatic : Form::plain;
      options.key = is_secret ? options_.key : nullptr;
      options.kind = Kind::safety;
      // In the clear the files themselves are kept, which is more than the pages that SQLite sees.
      options.keep_damaged = is_secret;
      options.busy_timeout = options_.busy_timeout;
      result_.safety = create_backup(target(), repository_, options, clock_, progress_).id;
      return state;
    }
  } catch (const DamagedSourceError& error) {
    result_.safety = error.kept();
    result_.safety_is_damaged = true;
    return state;
  } catch (const IntegrityError&) {
    // A backup of it would not be called good, so its files are kept as they are.
  }
  if (is_target_secret()) {
    throw DeniedError(
        fmt::format(
            "{} is damaged and its backups are encrypted: to keep its files in the repository would leave "
            "them in the clear",
            target().string()),
        "Move the database, its -wal and its -journal aside yourself, then restore again.");
  }
  result_.safety = keep_damaged_files(target(), state, Kind::safety, repository_, clock_, progress_).id;
  result_.safety_is_damaged = true;
  return state;
}

std::optional<TargetState> Restore::settle(const TargetState& before) {
  if (result_.safety && !result_.safety_is_damaged) {
    return bring_to_rest(target(), before, static_cast<int>(options_.busy_timeout.count()));
  }
  // SQLite cannot be trusted to settle a damaged database; its files are kept byte for byte.
  if (look_at(target()) != before) return std::nullopt;
  return before;
}

bool Restore::swap_in(StagedFile& staged, const TargetState& expected) {
  std::optional<sqlite::ExclusiveLease> lease;
  if (expected.exists) {
    lease = lease_if_possible(target());
    if (const auto note = staged.take_ownership_of(expected)) result_.notes.push_back(*note);
  }
  if (look_at(target()) != expected) return false;
  throw_if_interrupted();
  // A stale -wal or -journal would be read into the new file, so they go first. Of a sound database nothing
  // is lost: it is at rest. Those of a damaged one are in the repository.
  for (const std::string_view suffix : {"-wal", "-journal", "-shm"}) {
    remove_if_there(sqlite::companion(target(), suffix));
  }
  sync_folder(target().parent_path());
  if (lease && !lease->is_undisturbed()) return false;
  if (!expected.exists) {
    put_new_file(staged);
    return true;
  }
  staged.put_in_place(true);
  restored_state_ = look_at(target());
  if (lease && !lease->is_undisturbed()) {
    result_.notes.emplace_back(
        "another process opened the old file in the moment it was replaced: restart what uses the database");
  }
  return true;
}

/// What was missing has no owner and mode to keep, and those of the backup's time may be too much today.
void Restore::put_new_file(StagedFile& staged) {
  const std::string& old_mode = manifest_.source.mode;
  staged.narrow_to(old_mode);
  staged.put_in_place(false);
  restored_state_ = look_at(target());
  const std::string mode = mode_text(restored_state_.mode);
  std::string note = fmt::format("the file is new: it has mode {} and belongs to user {}", mode, ::geteuid());
  if (!old_mode.empty() && old_mode != mode) {
    note += fmt::format("; the database had mode {} when it was backed up", old_mode);
  }
  result_.notes.push_back(std::move(note));
}

/// The change is made: whatever goes wrong here is told as such, and is no reason to undo it.
void Restore::check_restored() {
  const std::string safety =
      result_.safety ? fmt::format("What stood there before is backup {}.", result_.safety->to_string()) : "";
  try {
    sqlite::Session restored(target());
    // Of a container each page was compared with its hash, and its source was checked, or else the file that
    // was put in place.
    const sqlite::Damage damage = chain_ ? sqlite::Damage{} : sqlite::quick_check(restored, progress_);
    std::vector<std::string> differences;
    if (manifest_.rows_total()) differences = compare_rows(manifest_, table_rows(restored, progress_));
    if (damage.is_found()) differences.push_back(damage.describe());
    if (differences.empty()) return note_proof();
    if (look_at(target()) != restored_state_) {
      result_.notes.emplace_back(
          "the restore is done; the check after it was overtaken by somebody who writes already");
      return;
    }
    throw IntegrityError(fmt::format("{} was restored and is not what the backup holds: {}",
                                     target().string(), differences.front()));
  } catch (const CancelledError&) {
    result_.notes.emplace_back("the restore is done; the check after it was interrupted");
  } catch (const IntegrityError& error) {
    throw IntegrityError(error.what(), safety);
  } catch (const Error& error) {
    result_.notes.push_back(fmt::format("the restore is done; the check after it failed: {}", error.what()));
  }
}

/// The restore is done and right, so that the note cannot be made is worth a word and no more.
void Restore::note_proof() {
  try {
    if (is_for_new_file_) {
      record_verification(repository_, manifest_.id, Proof::restore, clock_);
    } else {
      record_restore(repository_, manifest_.id, target(), clock_);
    }
  } catch (const Error& error) {
    result_.notes.push_back(fmt::format("that the backup was proved could not be noted: {}", error.what()));
  }
}

}  // namespace

Json RestoreResult::to_json() const {
  Json json = {{"backup", plan.backup.to_string()},
               {"target", source_name(plan.target)},
               {"done", done},
               {"mode", mode},
               {"plan", plan.to_json()},
               {"notes", notes}};
  json["safety"] = safety ? Json(safety->to_string()) : Json();
  json["safety_state"] = safety ? Json(to_string(safety_is_damaged ? State::damaged : State::good)) : Json();
  return json;
}

RestoreResult restore_backup(const Repository& repository, const Manifest& manifest,
                             const RestoreTarget& target, const RestoreOptions& options, const Clock& clock,
                             ProgressSink* progress) {
  return Restore(repository, manifest, options, clock, progress).run(target);
}

}  // namespace nerve::backups
