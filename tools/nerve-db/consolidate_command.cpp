// SPDX-License-Identifier: Apache-2.0
// nerve-db backup consolidate
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "context.h"

#include "nerve/backups/consolidation.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>

namespace nerve::cli {

namespace {

using backups::Manifest;
using backups::Repository;

int show_made(Output& output, const Manifest& full, const Repository& repository) {
  if (output.wants_json()) {
    output.json(manifest_json(full, repository));
  } else {
    output.line(full.id.to_string());
  }
  return 0;
}

/// What is wrong with the pages says itself nothing of what to do.
Manifest consolidated(const Repository& repository, const Manifest& delta, const backups::BackupKey* key,
                      Progress& progress) {
  try {
    return backups::consolidate_backup(repository, delta, key, system_clock(), &progress);
  } catch (const IntegrityError& error) {
    if (!error.hint().empty()) throw;
    const std::string folder = shell_word(repository.path().string());
    throw IntegrityError(
        error.what(),
        fmt::format("Make a new full of the database: nerve-db backup --full --repo {} --db {}. See what can "
                    "still be restored: nerve-db backup verify --all --repo {}.",
                    folder, shell_word(delta.source.path), folder));
  }
}

int run_consolidate(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const KeyedRepository keyed = open_with_needed_key(context, arguments, database_meant(context, arguments));
  const Repository& repository = keyed.repository;
  const Manifest delta = manifest_from(context, arguments, repository);
  const bool is_delta = delta.container && delta.container->parent;
  if (!is_delta && delta.state == backups::State::good) {
    output.note(fmt::format("backup {} needs no other backup already", delta.id.short_text()));
    return show_made(output, delta, repository);
  }
  const Manifest full = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    return consolidated(repository, delta, keyed.key.get(), progress);
  }();
  output.note(fmt::format("made {} of {} of backup {} in {}", described_form(full),
                          format_size(full.file.size_bytes), delta.id.short_text(),
                          format_duration(std::chrono::milliseconds(full.duration_ms))));
  return show_made(output, full, repository);
}

}  // namespace

Command consolidate_command() {
  return {
      .name = "consolidate",
      .summary = "make a full of a delta, without the database",
      .description =
          "The new full is another backup of the same state, with the time and place in the order of the\n"
          "delta. It needs no other backup, and the next delta builds on it; the old ones stay until they\n"
          "are pruned. Standard output is its id.",
      .operands = {id_operand(false)},
      .options = with_key_options({repository_option(), whose_option("database that latest is about")}),
      .example = "nerve-db backup consolidate --db chinook.sqlite",
      .run = &run_consolidate};
}

}  // namespace nerve::cli
