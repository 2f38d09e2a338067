// SPDX-License-Identifier: Apache-2.0
#include "recovery.h"

#include "authentication.h"
#include "container/recovery_text.h"
#include "durable_file.h"
#include "layout.h"
#include "recovery_file.h"
#include "repository_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::size_t name_bytes_max = 100;

RecoveryKey described(const RecoverySlot& slot) {
  const KeyFacts facts = key_facts_from(slot.key).value_or(KeyFacts{});
  return {facts.source == KeySource::scrypt ? RecoveryKey::Opens::passphrase : RecoveryKey::Opens::key_file,
          to_hex(facts.check), slot.key, slot.made_at, slot.name};
}

void open_for(const std::filesystem::path& repository, const BackupKey& key, Keyring& keyring) {
  if (key.kind() == BackupKey::Kind::recovery) {
    visit_recovery_slots(repository, [&](const RecoverySlot& slot) {
      std::optional<Secret> master = master_in(slot, key.secret());
      if (!master) return false;
      keyring.add_recovered(key, *std::move(master));
      return true;
    });
  }
  for (const BackupKey& other : key.others()) open_for(repository, other, keyring);
}

bool opens(const RecoverySlot& slot, const KeyFacts& facts, Keyring& keyring) {
  const std::optional<KeyFacts> of_slot = key_facts_from(slot.key);
  return of_slot && keyring.is_one_master(facts, *of_slot);
}

RecoverySlots slots_for(const RecoverySlots& slots, const KeyFacts& facts, Keyring& keyring) {
  RecoverySlots fitting;
  std::ranges::copy_if(slots, std::back_inserter(fitting),
                       [&](const RecoverySlot& slot) { return opens(slot, facts, keyring); });
  return fitting;
}

bool has_note(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(folder / recovery_file_name, error));
}

/// Of a delta its full has them, so that no other folder is looked into.
RecoverySlots slots_beside(const Repository& repository, const BackupOptions& options,
                           const Manifest& manifest) {
  const std::vector<std::string> folders = manifest.container->parent
                                               ? std::vector{manifest.container->generation.to_string()}
                                               : backup_names(repository.path());
  RecoverySlots slots = known_recovery_slots(repository.path(), folders);
  // An empty note says that all were revoked; none that the repository was lost.
  if (slots.empty() && options.second != nullptr && !has_note(repository.path())) {
    slots = known_recovery_slots(options.second->path(), {});
  }
  return slots;
}

/// The encrypted backups that can be trusted with the key, newest first.
std::vector<Manifest> authenticated_backups(const Repository& repository) {
  std::vector<Manifest> backups;
  for (Entry& entry : repository.list()) {
    const bool is_one = entry.manifest && entry.manifest->is_encrypted() && entry.manifest->authentication &&
                        reason_to_doubt(*entry.manifest, *repository.keyring()).empty();
    if (is_one) backups.push_back(*std::move(entry.manifest));
  }
  std::ranges::stable_sort(backups, std::greater<>(), &Manifest::sequence);
  return backups;
}

void require_key(const Repository& repository) {
  const Keyring* keyring = repository.keyring();
  const bool has_key =
      keyring != nullptr && keyring->has_key() && keyring->key()->kind() != BackupKey::Kind::recovery;
  if (has_key) return;
  throw DeniedError("a recovery key is made with the key of the backups, and that is not given",
                    "Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE.");
}

void require_name(std::string_view name) {
  if (name.size() > name_bytes_max) throw ValidationError("the name is longer than 100 bytes", "Shorten it.");
  if (!is_valid_utf8(name)) throw ValidationError("the name is not valid UTF-8", "Write it in UTF-8.");
}

KeyFacts facts_of(const Manifest& manifest) {
  return key_facts_from(manifest.authentication->key).value_or(KeyFacts{});
}

/// The text is shown only when it was seen to open the slot that is stored.
void require_opens(const Repository& repository, const Secret& text, const Secret& master) {
  const Secret key = recovery_key_from(text);
  const RecoverySlots slots = recovery_slots_in(repository.path()).value_or(RecoverySlots{});
  const bool is_right = std::ranges::any_of(slots, [&](const RecoverySlot& slot) {
    const std::optional<Secret> opened = master_in(slot, key);
    return opened && equal_constant_time(opened->reveal(), master.reveal());
  });
  if (is_right) return;
  throw IntegrityError(fmt::format("the new recovery key does not open what was written to {}",
                                   (repository.path() / recovery_file_name).string()),
                       "Look into the kernel's log (dmesg), and write to another device.");
}

}  // namespace

void open_recovery_slots(const std::filesystem::path& repository, Keyring& keyring) {
  if (keyring.has_key()) open_for(repository, *keyring.key(), keyring);
}

void keep_recovery_slots(const Repository& repository, const BackupOptions& options, const Manifest& manifest,
                         Keyring& keyring, const PartialBackup& partial) {
  if (!manifest.authentication) return;
  const RecoverySlots slots = slots_beside(repository, options, manifest);
  if (slots.empty()) return;
  const RecoverySlots fitting = slots_for(slots, facts_of(manifest), keyring);
  if (!fitting.empty() && !manifest.container->parent) {
    write_recovery_slots(partial.file(recovery_file_name), fitting);
  }
  if (!has_note(repository.path())) add_recovery_slots(repository, slots);
  if (fitting.empty() && options.on_note) {
    options.on_note(
        fmt::format("the recovery key does not open this backup: make a new one with 'nerve-db backup "
                    "recovery-key --repo {}'",
                    shell_word(repository.path().string())));
  }
}

NewRecoveryKey make_recovery_key(const Repository& repository,
                                 const std::optional<std::filesystem::path>& source, std::string_view name,
                                 Random& random, const Clock& clock) {
  require_name(name);
  require_key(repository);
  require_writable(repository);
  const RepositoryLock lock = RepositoryLock::shared(repository);
  Keyring& keyring = *repository.keyring();
  const std::vector<Manifest> backups = authenticated_backups(repository);
  const auto newest = std::ranges::find_if(
      backups, [&](const Manifest& one) { return !source || one.source.path == source_name(*source); });
  if (newest == backups.end()) {
    throw NotFoundError(
        fmt::format("there is no encrypted backup{} in {} that the key opens",
                    source ? " of " + source->string() : "", repository.path().string()),
        "Make one first: nerve-db backup --encrypt. One of an older nerve-db is authenticated by "
        "'nerve-db backup repair --authenticate'.");
  }
  const KeyFacts facts = facts_of(*newest);
  const std::optional<Secret> master = keyring.copy_of_master(facts);
  Secret key(recovery_key_bytes);
  random.fill(key.writable());
  RecoverySlot slot = seal_for_recovery(key, newest->authentication->key, *master, random);
  slot.made_at = clock.now();
  slot.name = name;
  RecoverySlots all;
  change_recovery_slots(repository, [&](RecoverySlots& slots) {
    slots.push_back(slot);
    all = slots;
  });
  NewRecoveryKey made{recovery_text_of(key), described(slot)};
  require_opens(repository, made.text, *master);
  const RecoverySlots fitting = slots_for(all, facts, keyring);
  for (const Manifest& one : backups) {
    const bool is_opened = keyring.is_one_master(facts, facts_of(one));
    if (!is_opened) ++made.left_out;
    if (is_opened && !one.container->parent) replace_recovery_slots(repository, one.id, fitting);
  }
  return made;
}

std::vector<RecoveryKey> recovery_keys(const Repository& repository) {
  std::optional<RecoverySlots> slots = recovery_slots_in(repository.path());
  if (!slots) slots = known_recovery_slots(repository.path(), backup_names(repository.path()));
  std::vector<RecoveryKey> keys;
  keys.reserve(slots->size());
  for (const RecoverySlot& slot : *slots) keys.push_back(described(slot));
  return keys;
}

std::size_t revoke_recovery_keys(const Repository& repository, const std::optional<std::string>& name) {
  require_writable(repository);
  const RepositoryLock lock = RepositoryLock::shared(repository);
  const auto is_meant = [&](const RecoverySlot& slot) { return !name || slot.name == *name; };
  std::size_t revoked = 0;
  change_recovery_slots(repository, [&](RecoverySlots& slots) { revoked = std::erase_if(slots, is_meant); });
  for (const std::string& folder : backup_names(repository.path())) {
    if (!has_note(repository.path() / folder)) continue;
    // A damaged one is replaced as well: what it held before is not known.
    RecoverySlots of_backup = known_recovery_slots(repository.path() / folder, {});
    std::erase_if(of_backup, is_meant);
    replace_recovery_slots(repository, BackupId::parse(folder), of_backup);
  }
  return revoked;
}

}  // namespace nerve::backups
