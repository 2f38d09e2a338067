// SPDX-License-Identifier: Apache-2.0
// nerve-db restore
#include "backup_choice.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "command.h"
#include "confirm.h"
#include "context.h"
#include "row_count.h"
#include "store_identities.h"
#include "workspace_set.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/backup_set.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/shared_lock.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using backups::RestorePlan;
using backups::RestoreTarget;
using backups::SharedLock;

RestoreTarget target_from(Context& context, const Arguments& arguments) {
  if (const auto file = arguments.text("--to")) return {*file, RestoreTarget::Mode::new_file};
  return {context.database_file(backup_instead_for_postgresql), RestoreTarget::Mode::in_place};
}

/// Whose newest backup "latest" is: of the database that --db names, or of the one that is to be replaced.
std::optional<std::filesystem::path> source_of(Context& context, const RestoreTarget& target) {
  if (target.mode == RestoreTarget::Mode::in_place) return target.path;
  return context.named_database_file(backup_instead_for_postgresql);
}

std::vector<std::string> plan_lines(const Output& output, const RestorePlan& plan,
                                    const backups::Manifest& manifest) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("backup {} of {}, made {} ({}, {})", plan.backup.short_text(),
                              manifest.source.path, output.time(plan.backup_created_at),
                              format_size(plan.restored_size_bytes),
                              plan.restored_rows ? row_count(*plan.restored_rows) : "rows not counted"));
  lines.push_back(plan.replaces ? fmt::format("replaces {} ({})", plan.target.string(),
                                              format_size(plan.current_size_bytes))
                                : fmt::format("makes the new file {}", plan.target.string()));
  if (plan.safety_backup) lines.emplace_back("after a safety backup of what is there now");
  for (const std::string& note : plan.notes) lines.push_back("note: " + note);
  return lines;
}

void show_result(Output& output, const backups::RestoreResult& result, const backups::Manifest& manifest,
                 const backups::Repository& repository) {
  if (output.wants_json()) {
    Json json = result.to_json();
    json["repository"] = backups::source_name(repository.path());
    output.json(json);
    return;
  }
  if (!result.done) {
    for (const std::string& line : plan_lines(output, result.plan, manifest)) output.line(line);
    output.note("nothing was changed");
    return;
  }
  output.line(
      fmt::format("restored {} from backup {}", result.plan.target.string(), result.plan.backup.short_text()),
      Style::good);
  if (result.safety) {
    output.line(fmt::format("what was there before is backup {}{}", result.safety->short_text(),
                            result.safety_is_damaged ? ", which was damaged already" : ""));
  }
  for (const std::string& note : result.notes) output.note("note: " + note);
}

/// --yes is said of the database that is meant, so of another one it is no answer.
bool is_agreed(Output& output, const RestorePlan& plan, const Arguments& arguments) {
  if (!plan.replaces && !plan.other_database) return true;
  if (arguments.has("--yes") && (!plan.other_database || arguments.has("--other-database"))) return true;
  return confirm(output, plan.other_database
                             ? fmt::format("Replace {} by the backup of another database, {}?",
                                           plan.target.string(), plan.backup_source)
                             : fmt::format("Replace {}?", plan.target.string()));
}

std::optional<Timestamp> time_from(const Arguments& arguments) {
  const auto time = arguments.text("--at");
  if (!time) return std::nullopt;
  if (arguments.text("ID") != "latest") {
    throw ValidationError("--at is given with the id of a backup",
                          "Give latest with --at: the newest by then.");
  }
  try {
    return Timestamp::parse(*time);
  } catch (const ValidationError& error) {
    throw ValidationError(fmt::format("--at: {}", error.what()),
                          "Write it as 2026-05-01T08:00:00Z, or with an offset instead of Z.");
  }
}

backups::Manifest chosen_backup(Context& context, const Arguments& arguments,
                                const backups::Repository& repository, const RestoreTarget& target) {
  const std::optional<Timestamp> time = time_from(arguments);
  if (time) return repository.at(*time, source_of(context, target));
  return choose_backup(repository, *arguments.text("ID"), source_of(context, target));
}

/// Whether the backup or the safety backup is encrypted: of a database whose backups are, that one is, too.
bool is_about_encrypted(const backups::Repository& repository,
                        const std::optional<std::filesystem::path>& source, const RestoreTarget& target) {
  if (source && backups::has_encrypted_backup(repository, *source)) return true;
  return target.mode == RestoreTarget::Mode::in_place &&
         backups::has_encrypted_backup(repository, target.path);
}

bool needs_key(const Arguments& arguments, const backups::Repository& repository,
               const std::optional<std::filesystem::path>& source, const RestoreTarget& target) {
  return names_key(arguments) || is_about_encrypted(repository, source, target);
}

/// Whether the named key is of every store. A recovery key need not be: the core store may not be encrypted,
/// and does not become so because the secure store is recovered.
bool names_key_of_all(const Arguments& arguments) {
  return names_key(arguments) && !arguments.has("--recovery-key-file");
}

/// The database that the backup is of; absent where that is not known before it is chosen.
std::optional<std::filesystem::path> source_meant(Context& context, const Arguments& arguments,
                                                  const backups::Repository& repository,
                                                  const RestoreTarget& target) {
  const std::string id = *arguments.text("ID");
  if (id != "latest") return repository.find(id).source.path;
  return source_of(context, target);
}

/// One store of a set, and where it goes.
struct Part {
  backups::Manifest manifest;
  RestoreTarget target;
  const backups::BackupKey* key = nullptr;
  std::function<void(const std::filesystem::path&)> examine = {};
};

/// Whether both stores of the workspace are meant, and no single database.
bool is_workspace_meant(Context& context, const Arguments& arguments) {
  return !context.is_database_named() && !arguments.has("--to") && context.workspace().folder.has_value();
}

/// The members of a set with the files of the stores; none where it is not of the stores of this workspace.
std::vector<Part> parts_of(Context& context, const Arguments& arguments, const KeyedRepository& keyed,
                           const std::vector<backups::Manifest>& set) {
  std::vector<Part> parts;
  for (const backups::Manifest& one : set) {
    const Store store = one.set->role == to_string(Store::secure) ? Store::secure : Store::core;
    const auto file = store_file(context, store);
    if (!file || one.set->role != to_string(store)) return {};
    parts.push_back(
        {one, {*file, RestoreTarget::Mode::in_place}, nullptr, identity_examination(context, store)});
    if (names_key_of_all(arguments) ||
        is_about_encrypted(keyed.repository, one.source.path, parts.back().target)) {
      parts.back().key = keyed.key.get();
    }
  }
  return parts;
}

/// Throws ConflictError for a backup whose set is not whole any more.
void require_whole_set(const backups::Repository& repository, const backups::Manifest& manifest) {
  if (!manifest.set || manifest.state != backups::State::good || backups::find_set(repository, manifest))
    return;
  throw ConflictError(fmt::format("the backup of the other store that belongs to {} is gone or damaged, so "
                                  "the set cannot be restored",
                                  manifest.id.short_text()),
                      "Name another backup, or restore one store alone by naming it with --db.");
}

/// The stores of the set that a backup is of.
std::vector<Part> parts_with(Context& context, const Arguments& arguments, const KeyedRepository& keyed,
                             const backups::Manifest& manifest) {
  require_whole_set(keyed.repository, manifest);
  const auto set = backups::find_set(keyed.repository, manifest);
  return set ? parts_of(context, arguments, keyed, *set) : std::vector<Part>{};
}

backups::RestoreResult restore_part(const backups::Repository& repository, const Part& part,
                                    backups::RestoreOptions options, Progress& progress) {
  options.key = part.key;
  options.examine = part.examine;
  return backups::restore_backup(repository, part.manifest, part.target, options, system_clock(), &progress);
}

void require_agreed(Output& output, const Arguments& arguments, const std::vector<Part>& parts,
                    const std::vector<backups::RestoreResult>& plans) {
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const RestorePlan& plan = plans[index].plan;
    for (const std::string& line : plan_lines(output, plan, parts[index].manifest)) output.note(line);
    if (!is_agreed(output, plan, arguments)) throw CancelledError("the restore was declined");
  }
}

void show_set(Output& output, const backups::Repository& repository, const std::vector<Part>& parts,
              const std::vector<backups::RestoreResult>& results) {
  if (!output.wants_json()) {
    for (std::size_t index = 0; index < results.size(); ++index) {
      show_result(output, results[index], parts[index].manifest, repository);
    }
    return;
  }
  Json list = Json::array();
  for (const backups::RestoreResult& result : results) list.push_back(result.to_json());
  output.json({{"set", parts.front().manifest.set->id.to_string()},
               {"repository", backups::source_name(repository.path())},
               {"restores", std::move(list)}});
}

/// One after the other; what was restored before one fails is shown.
std::vector<backups::RestoreResult> restore_parts(Output& output, const backups::Repository& repository,
                                                  const std::vector<Part>& parts,
                                                  const backups::RestoreOptions& options,
                                                  Progress& progress) {
  std::vector<backups::RestoreResult> results;
  results.reserve(parts.size());
  try {
    for (const Part& part : parts) results.push_back(restore_part(repository, part, options, progress));
  } catch (const Error&) {
    progress.clear();
    if (options.dry_run || results.empty()) throw;
    show_set(output, repository, parts, results);
    output.warning("only one store of the set was restored; run it again, or go back as said");
    throw;
  }
  progress.clear();
  return results;
}

/// Both are looked at before the first is replaced, and a prune in between must not take the second.
///
/// `passed_over` becomes notes of the plan.
int restore_set(Context& context, const Arguments& arguments, const backups::Repository& repository,
                const std::vector<Part>& parts, const std::vector<std::string>& passed_over) {
  Output& output = context.output();
  const bool dry_run = arguments.has("--dry-run");
  const SharedLock lock(repository, dry_run ? SharedLock::Leftovers::keep : SharedLock::Leftovers::remove);
  Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
  backups::RestoreOptions options;
  options.may_replace_other = arguments.has("--other-database") || can_ask(output);
  options.requires_authentication = names_key_of_all(arguments);
  options.may_be_unauthenticated = arguments.has("--unauthenticated");
  options.dry_run = true;
  const auto restore = [&] {
    std::vector<backups::RestoreResult> made = restore_parts(output, repository, parts, options, progress);
    std::vector<std::string>& notes = made.front().plan.notes;
    notes.insert(notes.begin(), passed_over.begin(), passed_over.end());
    return made;
  };
  std::vector<backups::RestoreResult> results = restore();
  if (!dry_run) {
    require_agreed(output, arguments, parts, results);
    options.dry_run = false;
    results = restore();
  }
  show_set(output, repository, parts, results);
  return 0;
}

int restore_one(Context& context, const Arguments& arguments, const KeyedRepository& keyed,
                const backups::Manifest& manifest, const RestoreTarget& target) {
  const backups::Repository& repository = keyed.repository;
  Output& output = context.output();
  const bool dry_run = arguments.has("--dry-run");
  Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
  backups::RestoreOptions options;
  options.key = keyed.key.get();
  options.requires_authentication = names_key(arguments);
  options.may_be_unauthenticated = arguments.has("--unauthenticated");
  options.dry_run = dry_run;
  options.may_replace_other = arguments.has("--other-database") || can_ask(output);
  options.confirm = [&](const RestorePlan& plan) {
    progress.clear();
    for (const std::string& line : plan_lines(output, plan, manifest)) output.note(line);
    return is_agreed(output, plan, arguments);
  };
  const backups::RestoreResult result =
      backups::restore_backup(repository, manifest, target, options, system_clock(), &progress);
  progress.clear();
  show_result(output, result, manifest, repository);
  return 0;
}

/// With the key where the restore needs it: it also says which of the backups count.
KeyedRepository repository_to_restore_from(Context& context, const Arguments& arguments,
                                           const RestoreTarget& target, bool is_of_workspace) {
  const backups::Repository found = open_repository_at(context.repository_folder());
  const std::string id = *arguments.text("ID");
  // Before a key is asked for.
  if (is_of_workspace && id != "latest") require_whole_set(found, found.find(id));
  const std::optional<std::filesystem::path> source = source_meant(context, arguments, found, target);
  // Which database is meant can be known only after the key has shown which backups count.
  if (!source && !is_of_workspace) return open_with_needed_key(context, arguments, std::nullopt);
  if (!needs_key(arguments, found, source, target)) {
    if (!is_of_workspace) return {nullptr, open_repository(context)};
    const auto secure = store_file(context, Store::secure);
    return open_with_needed_key(context, arguments, secure.value_or(target.path));
  }
  const bool is_of_target =
      !names_key(arguments) && !(source && backups::has_encrypted_backup(found, *source));
  return open_with_needed_key(context, arguments, is_of_target ? target.path : source);
}

/// "latest" is never one that is not authenticated, so the option would do nothing.
void require_id_with_unauthenticated(const Arguments& arguments) {
  if (!arguments.has("--unauthenticated") || arguments.text("ID") != "latest") return;
  throw ValidationError("--unauthenticated is given with latest, which passes over what is not authenticated",
                        "Give the id of the backup.");
}

int run_restore(Context& context, const Arguments& arguments) {
  require_id_with_unauthenticated(arguments);
  Output& output = context.output();
  const RestoreTarget target = target_from(context, arguments);
  const bool dry_run = arguments.has("--dry-run");
  std::error_code error;
  const bool replaces =
      target.mode == RestoreTarget::Mode::in_place && std::filesystem::exists(target.path, error);
  if (replaces && !dry_run) {
    require_answerable(output, arguments.has("--yes"),
                       "Add --yes to do it, or --dry-run to see what would be done.");
  }

  const bool is_of_workspace = is_workspace_meant(context, arguments);
  if (is_of_workspace) {
    require_store_identities(context, store_files(context));
  } else if (target.mode == RestoreTarget::Mode::in_place) {
    require_store_identity(context, target.path);
  }
  const KeyedRepository keyed = repository_to_restore_from(context, arguments, target, is_of_workspace);
  if (is_of_workspace && arguments.text("ID") == "latest") {
    if (const auto set = latest_set_of_workspace(context, keyed.repository, time_from(arguments))) {
      const std::vector<Part> parts = parts_of(context, arguments, keyed, set->members);
      if (!parts.empty()) {
        return restore_set(context, arguments, keyed.repository, parts, notes_of(set->passed_over));
      }
    }
  }
  const backups::Manifest manifest = chosen_backup(context, arguments, keyed.repository, target);
  if (is_of_workspace) {
    const std::vector<Part> parts = parts_with(context, arguments, keyed, manifest);
    if (!parts.empty()) return restore_set(context, arguments, keyed.repository, parts, {});
  }
  return restore_one(context, arguments, keyed, manifest, target);
}

}  // namespace

Command restore_command() {
  return {
      .name = "restore",
      .summary = "bring a database back from a backup",
      .description =
          "The backup is verified, what is there now goes into a safety backup, and one rename makes\n"
          "the change: an abort at any point leaves the old state or the new one. Refuses while\n"
          "another process has the database open. What was written is read back and compared first. Asks\n"
          "before it replaces a file. In a workspace, without --db and --to, both stores of the set are\n"
          "restored that the backup belongs to; latest is the newest set that is whole.",
      .operands = {{.name = "ID",
                    .type = ArgumentType::backup,
                    .description = "id of the backup, its last 8 characters, or latest",
                    .required = true}},
      .options = {repository_option(),
                  database_option(),
                  {.name = "--at",
                   .value_name = "TIME",
                   .type = ArgumentType::text,
                   .description =
                       "with latest: the newest backup that was made by then (2026-05-01T08:00:00Z)"},
                  {.name = "--to",
                   .value_name = "FILE",
                   .type = ArgumentType::file,
                   .description = "restore into this new file instead; --db then only says whose latest"},
                  {.name = "--yes", .description = "replace without asking"},
                  {.name = "--other-database",
                   .description = "permit to replace a database by the backup of another one"},
                  {.name = "--unauthenticated",
                   .description =
                       "with an id: permit a backup that nothing proves to be made by who has the key"},
                  {.name = "--dry-run", .description = "verify and show the plan, change nothing"},
                  key_options()[0],
                  key_options()[1],
                  recovery_key_option()},
      .example = "nerve-db restore latest --db chinook.sqlite --yes",
      .run = &run_restore};
}

}  // namespace nerve::cli
