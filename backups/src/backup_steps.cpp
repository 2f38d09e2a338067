// SPDX-License-Identifier: Apache-2.0
#include "backup_steps.h"

#include "container_backup.h"
#include "damaged_copy.h"
#include "durable_file.h"
#include "file_identity.h"
#include "lines.h"
#include "marker.h"
#include "partial_backup.h"
#include "repository_file.h"
#include "repository_folder.h"
#include "target_state.h"
#include "witness.h"

#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace nerve::backups {
namespace {

/// A copy holds what is in the main file and what the -wal adds to it; a tenth more covers manifest and
/// folders.
std::uint64_t space_for(const sqlite::FileFacts& facts) {
  const std::uint64_t size_bytes = facts.size_bytes + facts.wal_bytes.value_or(0);
  return size_bytes + size_bytes / 10 + (std::uint64_t{64} << 10);
}

std::string hint_after_damage(const IntegrityError& error, const sqlite::FileFacts& facts,
                              const Repository& repository) {
  const std::string source = shell_word(facts.path.string());
  if (const std::optional<Manifest> earlier = repository.newest_of(facts.path)) {
    return fmt::format("The last good backup of it is of {}: nerve-db restore {} --repo {} --db {}",
                       earlier->created_at.to_text(), earlier->id.short_text(),
                       shell_word(repository.path().string()), source);
  }
  // Of what is no database at all the error knows more; of a damaged one it could only name a backup.
  if (facts.kind != sqlite::FileKind::sqlite) return error.hint();
  return fmt::format(
      "There is no good backup of it in {}; 'nerve-db salvage --db {} --to FILE' writes what can still "
      "be read to a new database.",
      repository.path().string(), source);
}

}  // namespace

void tell(const BackupOptions& options, const std::string& note) {
  if (options.on_note) options.on_note(note);
}

void tell_unchecked(const BackupOptions& options, const std::vector<std::string>& unchecked) {
  if (unchecked.empty()) return;
  tell(options, fmt::format("these tables could not be checked in full: {}", list_names(unchecked)));
}

void require_possible(const BackupOptions& options) {
  // What a restore keeps of the state that it replaces goes under the key that was recovered.
  const bool is_recovering = options.key != nullptr && options.key->kind() == BackupKey::Kind::recovery;
  if (is_recovering && options.kind != Kind::safety) {
    throw DeniedError(
        "a recovery key opens backups, and no new ones are made with it",
        "Give the key itself by --passphrase-file FILE or --key-file FILE. If it is lost, restore what you "
        "need, and begin with a new key in another repository.");
  }
  if (options.form != Form::plain) return;
  if (options.key != nullptr) {
    throw ValidationError("a plain copy is not encrypted, and a key is given for it",
                          "Leave the plain form or the key away.");
  }
  if (options.check == SourceCheck::none) {
    throw ValidationError("a plain copy is always checked",
                          "Leave the plain form away, or check the source.");
  }
}

void require_possible_place(const sqlite::FileFacts& facts, const Repository& repository) {
  sqlite::require_database(facts);
  require_writable(repository);
  // Before a folder is made for nothing.
  if (!has_marker(repository.path())) require_space_for_full(facts, repository);
}

void require_space_for_full(const sqlite::FileFacts& facts, const Repository& repository) {
  require_space(existing_folder(repository.path()), space_for(facts));
}

Continuation continue_history(const sqlite::FileFacts& facts, const Repository& repository,
                              std::span<const Entry> entries, const BackupOptions& options, Keyring& keyring,
                              Manifest& manifest) {
  Continuation continuation;
  manifest.source.file = identity_of(facts.path);
  const LineChoice choice =
      choose_line(facts, manifest.source.file, repository, entries, options, keyring, manifest.id);
  manifest.line = choice.id;
  continuation.is_new_line = choice.is_new;
  continuation.note_of_line = choice.note;
  continuation.sequence_before = witnessed_sequence(repository);
  if (const std::string reason = reason_to_miss(repository); !reason.empty()) tell(options, reason);
  if (options.second == nullptr) return continuation;
  const std::int64_t of_second = highest_sequence(*options.second);
  if (of_second > std::max(continuation.sequence_before, highest_sequence(repository))) {
    tell(options,
         fmt::format(
             "{} holds backup number {}, and {} does not: the first repository was lost or put back to "
             "an earlier state; the numbers go on from there",
             options.second->path().string(), of_second, repository.path().string()));
  }
  continuation.sequence_before = std::max(continuation.sequence_before, of_second);
  return continuation;
}

void settle_history(const Repository& repository, const Continuation& continuation,
                    const BackupOptions& options, Manifest& manifest) {
  if (!manifest.has_rows) {
    if (const std::optional<Manifest> earlier = repository.newest_with_rows(manifest.source.path)) {
      manifest.is_emptied = true;
      if (continuation.is_new_line) manifest.line = earlier->line;
      return;
    }
  }
  if (!continuation.note_of_line.empty()) tell(options, continuation.note_of_line);
}

[[noreturn]] void keep_files_and_throw(const IntegrityError& damage, const sqlite::FileFacts& facts,
                                       const Repository& repository, const BackupOptions& options,
                                       const Clock& clock, ProgressSink* progress) {
  if (!options.keep_damaged || options.key != nullptr || has_encrypted_backup(repository, facts.path)) {
    throw IntegrityError(damage.what(), damage.hint());
  }
  const TargetState state = look_at(facts.path);
  std::optional<Manifest> kept = find_kept_files(facts.path, state, repository, progress);
  if (!kept) kept = keep_damaged_files(facts.path, state, options.kind, repository, clock, progress);
  throw DamagedSourceError(damage.what(), damage.hint(), kept->id);
}

Manifest with_hints_of_damage(const sqlite::FileFacts& facts, const Repository& repository,
                              const std::function<Manifest()>& work) {
  try {
    return work();
  } catch (const DamagedSourceError& error) {
    throw DamagedSourceError(fmt::format("{}; what there is was kept as backup {}, which counts as damaged",
                                         error.what(), error.kept().short_text()),
                             hint_after_damage(error, facts, repository), error.kept());
  } catch (const DamagedRepositoryError&) {
    throw;
  } catch (const IntegrityError& error) {
    throw IntegrityError(error.what(), hint_after_damage(error, facts, repository));
  }
}

}  // namespace nerve::backups
