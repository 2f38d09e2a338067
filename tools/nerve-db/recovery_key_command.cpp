// SPDX-License-Identifier: Apache-2.0
// nerve-db backup recovery-key
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "confirm.h"
#include "context.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/recovery.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/random.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using backups::RecoveryKey;
using backups::Repository;

/// The one that is named; in a workspace its secure store, where the backups of that are encrypted.
std::optional<std::filesystem::path> database_with_key(Context& context) {
  std::optional<std::filesystem::path> database = context.named_database_file(backup_instead_for_postgresql);
  if (database || !context.workspace().folder) return database;
  std::optional<std::filesystem::path> secure = store_file(context, Store::secure);
  const bool is_meant = secure && backups::has_encrypted_backup(open_repository(context), *secure);
  return is_meant ? std::move(secure) : std::nullopt;
}

std::string_view opened_by(const RecoveryKey& key) {
  return key.opens == RecoveryKey::Opens::passphrase ? "passphrase" : "key file";
}

int make(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::optional<std::filesystem::path> database = database_with_key(context);
  const KeyedRepository keyed = open_with_needed_key(context, arguments, database, KeyUse::itself);
  const std::string where = keyed.repository.path().string();
  if (!keyed.key) {
    throw NotFoundError(
        fmt::format("there is no encrypted backup{} in {}", database ? " of " + database->string() : "",
                    where),
        "A recovery key is for encrypted backups. Make one first: nerve-db backup --encrypt.");
  }
  const backups::NewRecoveryKey made = backups::make_recovery_key(
      keyed.repository, database, arguments.text("--name").value_or(""), system_random(), system_clock());
  if (output.wants_json()) {
    output.json({{"recovery_key", made.text.reveal_text()}, {"key", made.key.key}});
  } else {
    output.line(made.text.reveal_text());
  }
  output.note(fmt::format(
      "it opens the encrypted backups in {} that have the same {} ({}…), by --recovery-key-file FILE "
      "or NERVE_RECOVERY_KEY, and makes no new ones",
      where, opened_by(made.key), made.key.check.substr(0, 8)));
  output.note(
      "it is shown this once and stored nowhere: print it or write it down, and keep it where the backups "
      "are not; "
      "whoever has it and the backups can read them");
  if (made.left_out > 0) {
    output.warning(fmt::format(
        "{} encrypted backups have another key, and the recovery key does not open them: keep that "
        "key, too",
        made.left_out));
  }
  return 0;
}

int list(Context& context) {
  Output& output = context.output();
  const Repository repository = open_repository(context);
  const std::vector<RecoveryKey> keys = backups::recovery_keys(repository);
  if (output.wants_json()) {
    Json all = Json::array();
    for (const RecoveryKey& key : keys) {
      all.push_back({{"made_at", key.made_at.to_text()}, {"name", key.name}, {"key", key.key}});
    }
    output.json({{"repository", backups::source_name(repository.path())}, {"recovery_keys", std::move(all)}});
    return 0;
  }
  if (keys.empty()) output.note("there is no recovery key");
  if (keys.empty()) return 0;
  Table table{.columns = {{"MADE"}, {"NAME"}, {"FOR"}, {"CHECK"}}, .rows = {}};
  for (const RecoveryKey& key : keys) {
    table.rows.push_back(
        {output.time(key.made_at), key.name, std::string(opened_by(key)), key.check.substr(0, 8)});
  }
  output.table(std::move(table));
  return 0;
}

int revoke(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const Repository repository = open_repository(context);
  const std::optional<std::string> name = arguments.text("--name");
  require_answerable(output, arguments.has("--yes"));
  const std::string which = name ? fmt::format("the recovery keys called {}", *name) : "all recovery keys";
  if (!arguments.has("--yes") &&
      !confirm(output, fmt::format("Revoke {} of {}?", which, repository.path().string()))) {
    throw CancelledError("the revocation was declined");
  }
  const std::size_t revoked = backups::revoke_recovery_keys(repository, name);
  if (output.wants_json()) {
    output.json({{"repository", backups::source_name(repository.path())}, {"revoked", revoked}});
  } else {
    output.line(fmt::format("revoked {} recovery key{}", revoked, revoked == 1 ? "" : "s"), Style::good);
  }
  output.warning(
      fmt::format("copies of the repository still open with {}, as those of --also do until it is revoked "
                  "there, too; whoever used it "
                  "may have kept the key of the backups, so where it was seen by others begin with another "
                  "key in another repository",
                  revoked == 1 ? "it" : "them"));
  return 0;
}

int run_recovery_key(Context& context, const Arguments& arguments) {
  if (arguments.has("--list") && arguments.has("--revoke")) {
    throw ValidationError("--list and --revoke are both given", "Give one of them.");
  }
  if (arguments.has("--list")) return list(context);
  if (arguments.has("--revoke")) return revoke(context, arguments);
  return make(context, arguments);
}

std::vector<Argument> recovery_key_options() {
  std::vector<Argument> options = {
      repository_option(),
      whose_option("database whose encrypted backups it is to open"),
      {.name = "--name",
       .value_name = "TEXT",
       .type = ArgumentType::text,
       .description = "what to call it, such as who keeps it; with --revoke, which ones"},
      {.name = "--list", .description = "show which there are, instead"},
      {.name = "--revoke", .description = "remove them instead; copies of the repository keep theirs"},
      {.name = "--yes", .description = "revoke without asking"}};
  for (Argument& option : key_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace

Command recovery_key_command() {
  return {
      .name = "recovery-key",
      .summary = "make a key that people keep for the day the key of encrypted backups is lost",
      .description =
          "It opens the backups that have the key of the newest encrypted one, those of before and those to\n"
          "come, in a workspace those of the secure store. Standard output is the recovery key: 14 groups "
          "of\n"
          "four letters and digits, the last of which tell typing errors. It is shown once and never "
          "stored;\n"
          "the repository keeps the key of the backups sealed for it. No new backups are made with it.",
      .options = recovery_key_options(),
      .example = "nerve-db backup recovery-key --list --db chinook.sqlite",
      .run = &run_recovery_key};
}

}  // namespace nerve::cli
