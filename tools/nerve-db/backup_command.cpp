// SPDX-License-Identifier: Apache-2.0
// nerve-db backup
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_hooks.h"
#include "backup_key.h"
#include "backup_metrics.h"
#include "backup_occasion.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "context.h"
#include "row_count.h"
#include "store_identities.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/backup_set.h"
#include "nerve/backups/replication.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using backups::Manifest;
using backups::Repository;

/// Options of which only one can be meant.
void require_one_of_each(const Arguments& arguments) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> rivals = {
      {{"--full", "--plain"},
       {"--deep", "--no-check"},
       {"--full", "--full-every"},
       {"--plain", "--full-every"}}};
  for (const auto& [one, other] : rivals) {
    if (arguments.has(one) && arguments.has(other)) {
      throw ValidationError(fmt::format("{} and {} are both given", one, other), "Give one of them.");
    }
  }
  names_key(arguments);
}

/// The folder of --also where it is a repository already: what it holds says how a lost first one is to go
/// on. What is wrong with it is told when it is copied to.
std::optional<Repository> second_repository(Context& context, const Arguments& arguments) {
  const std::optional<std::filesystem::path> folder = second_folder(context, arguments);
  if (!folder) return std::nullopt;
  try {
    return Repository::open(*folder);
  } catch (const Error&) {
    return std::nullopt;
  }
}

constexpr std::ptrdiff_t passphrase_characters_min = 12;

bool is_short_passphrase(const backups::BackupKey& key) {
  if (key.kind() != backups::BackupKey::Kind::passphrase) return false;
  const std::string_view text = key.secret().reveal_text();
  // In UTF-8 a character is counted by its first octet.
  const auto characters = std::ranges::count_if(
      text, [](char octet) { return (static_cast<unsigned char>(octet) & 0xC0U) != 0x80U; });
  return characters < passphrase_characters_min;
}

/// Who gets hold of the backups can try passphrases for as long as they like.
void warn_of_short_passphrase(Output& output) {
  output.warning(
      fmt::format("the passphrase is shorter than {} characters, so that whoever gets hold of the backups "
                  "may guess it: begin with a longer one, such as six random words, or with a key file, in "
                  "another repository",
                  passphrase_characters_min));
}

/// What a backup is made with; the key of the options lives in `key`.
backups::BackupOptions options_from(Context& context, const Arguments& arguments,
                                    const Repository& repository, const std::filesystem::path& source,
                                    std::optional<backups::BackupKey>& key) {
  backups::BackupOptions options;
  options.keep_damaged = true;
  options.full_age_max = arguments.duration("--full-every");
  if (arguments.has("--plain")) options.form = backups::Form::plain;
  if (arguments.has("--full")) options.form = backups::Form::full;
  if (arguments.has("--deep")) options.check = backups::SourceCheck::deep;
  options.same_database = arguments.has("--same-database");
  if (arguments.has("--no-check")) options.check = backups::SourceCheck::none;
  options.busy_timeout =
      std::chrono::milliseconds(context.settings_for_copying().integer("database.busy_timeout_ms"));
  options.on_note = [&context](const std::string& note) { context.output().note(note); };
  const bool is_plain = options.form == backups::Form::plain;
  if (!is_plain && !names_key(arguments)) key = key_of_secure_store(context, source);
  if (!key) {
    const bool goes_on = !is_plain && backups::has_encrypted_backup(repository, source);
    if (goes_on || arguments.has("--encrypt") || names_key(arguments) || has_credential_key()) {
      key.emplace(required_key(context.output(), arguments, goes_on ? KeyUse::itself : KeyUse::first));
    }
  }
  if (!key) return options;
  if (is_short_passphrase(*key) && !backups::has_encrypted_backup(repository, source)) {
    warn_of_short_passphrase(context.output());
  }
  options.key = &*key;
  return options;
}

/// An empty database is seldom meant, least of all where there were rows before.
std::optional<Error> emptiness_of(Output& output, const Manifest& manifest, const Repository& repository) {
  if (manifest.has_rows) return std::nullopt;
  const auto earlier =
      manifest.is_emptied ? repository.newest_with_rows(manifest.source.path) : std::optional<Manifest>();
  if (!earlier) {
    output.warning(fmt::format("{} holds no rows, so the backup holds none", manifest.source.path));
    return std::nullopt;
  }
  return Error(
      ErrorKind::partial,
      fmt::format(
          "{} has lost all its rows: its backup {} of {} holds {}; the new one, {}, is kept as emptied "
          "and is not what latest means",
          manifest.source.path, earlier->id.short_text(), output.time(earlier->created_at),
          earlier->rows_total() ? row_count(*earlier->rows_total()) : "rows", manifest.id.short_text()),
      fmt::format(
          "To bring the rows back: nerve-db restore {} --repo {} --db {}. If they were removed on purpose, "
          "the first backup with new rows is latest again.",
          earlier->id.short_text(), shell_word(repository.path().string()),
          shell_word(manifest.source.path)));
}

/// The backup stands whatever happens here: what went wrong is returned.
std::optional<Error> copy_to(const std::filesystem::path& folder, Output& output,
                             const Repository& repository, const Manifest& manifest,
                             const backups::BackupKey* key) {
  try {
    const Repository second = backups::open_second_repository(repository, folder);
    const backups::ReplicationReport report = [&] {
      Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
      return backups::replicate_backups(repository, second, manifest.source.path, key, system_clock(),
                                        &progress);
    }();
    output.note(fmt::format("copied {} backup{}, {}, to {}", report.copied.size(),
                            report.copied.size() == 1 ? "" : "s", format_size(report.bytes),
                            second.path().string()));
    if (!report.missed_there.empty()) output.warning(report.missed_there);
    for (const backups::BackupId& id : report.unknown_here) {
      output.warning(
          fmt::format("{} has a newer backup, {}, that {} does not have: an earlier state of it was put "
                      "back, or somebody removed the backup",
                      second.path().string(), id.to_string(), repository.path().string()));
    }
  } catch (const CancelledError&) {
    throw;
  } catch (const Error& error) {
    // Hints about a folder speak of --repo.
    const bool is_about_folder = error.kind() == ErrorKind::denied || error.kind() == ErrorKind::conflict;
    return Error(
        ErrorKind::partial,
        fmt::format("backup {} was made, but not copied to {}: {}", manifest.id.short_text(), folder.string(),
                    error.what()),
        is_about_folder || error.hint().empty()
            ? "Name a folder that can be written with --also: the next backup copies what is missing there."
            : error.hint());
  }
  return std::nullopt;
}

void note_of(Output& output, const Manifest& manifest) {
  output.note(fmt::format("backed up {}: {}, as {} of {} in {}", manifest.source.path, extent_of(manifest),
                          described_form(manifest), format_size(manifest.file.size_bytes),
                          format_duration(std::chrono::milliseconds(manifest.duration_ms))));
}

/// Copies what was made, and tells what is wrong although it was made: the first failure is thrown, others
/// are warnings. `failures` are those of databases of which no backup was made.
void finish(Context& context, const Arguments& arguments, const Repository& repository,
            const std::vector<Manifest>& made, const std::vector<const backups::BackupKey*>& keys,
            std::vector<Error> failures = {}) {
  Output& output = context.output();
  for (const std::string& problem : repository.catalogue_problems()) output.warning(problem);
  for (const Manifest& manifest : made) {
    if (auto failure = emptiness_of(output, manifest, repository)) failures.push_back(*std::move(failure));
  }
  const std::optional<std::filesystem::path> also = second_folder(context, arguments);
  for (std::size_t index = 0; also && index < made.size(); ++index) {
    auto failure = copy_to(*also, output, repository, made[index], keys[index]);
    if (failure) failures.push_back(*std::move(failure));
  }
  for (std::size_t index = 1; index < failures.size(); ++index) output.warning(failures[index].what());
  if (!failures.empty()) throw Error(failures.front());
}

void make_one(Context& context, const Arguments& arguments, BackupOccasion& occasion) {
  Output& output = context.output();
  const std::filesystem::path& source = occasion.database;
  const Repository found = open_or_create_repository(occasion.repository);
  std::optional<backups::BackupKey> key;
  backups::BackupOptions options = options_from(context, arguments, found, source, key);
  const Repository repository = found.for_key(options.key);
  const std::optional<Repository> second = second_repository(context, arguments);
  options.second = second ? &*second : nullptr;
  const Manifest manifest = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    return backups::create_backup(source, repository, options, system_clock(), &progress);
  }();
  occasion.manifest = manifest;
  note_of(output, manifest);
  if (output.wants_json()) {
    output.json(manifest_json(manifest, repository));
  } else {
    output.line(manifest.id.to_string());
  }
  finish(context, arguments, repository, {manifest}, {options.key});
}

void show_set(Output& output, const std::vector<Manifest>& stored, const Repository& repository) {
  Json list = Json::array();
  for (const Manifest& manifest : stored) {
    note_of(output, manifest);
    list.push_back(manifest_json(manifest, repository));
    if (!output.wants_json()) output.line(manifest.id.to_string());
    if (manifest.set->role == to_string(Store::secure) && !manifest.is_encrypted()) {
      output.warning(
          "the backup of the secure store is not encrypted: name a key in nerve.toml as "
          "backup.secure_key_file or backup.secure_passphrase_file");
    }
  }
  if (output.wants_json() && !stored.empty()) {
    output.json({{"set", stored.front().set->id.to_string()}, {"backups", std::move(list)}});
  }
}

/// Both stores of a workspace in the state of one moment. What is stored of them is shown and copied, also
/// where the other is damaged.
void make_set(Context& context, const Arguments& arguments, const std::vector<StoreFile>& stores,
              BackupOccasion& occasion) {
  Output& output = context.output();
  const Repository repository = open_or_create_repository(occasion.repository);
  const std::optional<Repository> second = second_repository(context, arguments);
  std::vector<std::optional<backups::BackupKey>> keys(stores.size());
  std::vector<backups::SetMember> members;
  for (std::size_t index = 0; index < stores.size(); ++index) {
    members.push_back({stores[index].file, std::string(to_string(stores[index].store)),
                       options_from(context, arguments, repository, stores[index].file, keys[index])});
    members.back().options.second = second ? &*second : nullptr;
  }
  backups::SetBackup made = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    return backups::create_backup_set(members, repository, system_clock(), &progress);
  }();
  std::vector<const backups::BackupKey*> keys_of_stored;
  for (const Manifest& manifest : made.stored) {
    const auto member = std::ranges::find(members, manifest.set->role, &backups::SetMember::role);
    keys_of_stored.push_back(member->options.key);
    std::ranges::find(occasion.stores, manifest.set->role, &StoreOccasion::store)->manifest = manifest;
    if (member == members.begin()) occasion.manifest = manifest;
  }
  show_set(output, made.stored, repository);
  finish(context, arguments, repository, made.stored, keys_of_stored, std::move(made.failures));
}

int run_backup(Context& context, const Arguments& arguments) {
  require_one_of_each(arguments);
  BackupOccasion occasion{.database = context.database_file(backup_instead_for_postgresql),
                          .repository = context.repository(),
                          .begun_at = system_clock().now()};
  const std::vector<StoreFile> stores = stores_together(context);
  for (const StoreFile& one : stores) {
    occasion.stores.push_back({std::string(to_string(one.store)), one.file});
  }
  return attend_backup(context, arguments, occasion, [&](BackupOccasion& one) {
    if (stores.empty()) {
      require_store_identity(context, one.database);
      make_one(context, arguments, one);
    } else {
      require_store_identities(context, stores);
      make_set(context, arguments, stores, one);
    }
  });
}

Argument full_every_option() {
  constexpr std::int64_t one_hour_s = 3600;
  return {.name = "--full-every",
          .value_name = "SPAN",
          .type = ArgumentType::duration,
          .description = "make a full where the last one is as old: 12h, 1d, weekly",
          .choices = {"12h", "1d", "1w"},
          .minimum = one_hour_s,
          .maximum = duration_max.count()};
}

std::vector<Argument> all_options() {
  std::vector<Argument> options = {
      database_option(),
      repository_option(),
      also_option(),
      {.name = "--full", .description = "make a full, which needs no other backup"},
      full_every_option(),
      {.name = "--plain", .description = "make an ordinary SQLite file, neither compressed nor encrypted"},
      {.name = "--encrypt", .description = "encrypt from now on; implied by the two options of the key"},
      {.name = "--deep", .description = "check the source by integrity_check instead of quick_check"},
      {.name = "--no-check", .description = "store the database unchecked, which is faster"},
      {.name = "--same-database",
       .description = "continue the history of this path although the file looks like another database"}};
  for (Argument& option : key_options()) options.push_back(std::move(option));
  for (Argument& option : hook_options()) options.push_back(std::move(option));
  options.push_back(metrics_option());
  return options;
}

}  // namespace

Command backup_command() {
  return {
      .name = "backup",
      .summary = "make a checked copy of a database",
      .description =
          "Others may go on reading and writing. The first backup is a full, compressed; the next ones\n"
          "hold the pages that changed, until these weigh more than the full. The database is checked\n"
          "first; what there is of a damaged one is kept to salvage from, and is never latest. Nor is\n"
          "a backup of a database that has lost all its rows. Standard output is the id of the new backup.\n"
          "In a workspace, without --db, both stores are backed up in the state of one moment.\n"
          "Once encrypted, the backups of a database stay so: each needs the key.",
      .options = all_options(),
      .commands = {list_command(), show_command(), verify_command(), drill_command(), prune_command(),
                   consolidate_command(), hold_command(), release_command(), recovery_key_command(),
                   repair_command(), schedule_command()},
      .exit_codes =
          "1 when the program before it fails; 6 when the database is damaged, and what there is of it\n"
          "was kept; 10 when it has lost all its rows since an earlier backup, so that the new one is kept\n"
          "as emptied, and when the copy to --also, the metrics or the program after it fail; otherwise as\n"
          "'nerve-db --help' lists them",
      .example = "nerve-db backup --db chinook.sqlite",
      .run = &run_backup};
}

}  // namespace nerve::cli
