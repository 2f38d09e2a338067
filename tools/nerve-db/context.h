// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workspace.h"

#include "nerve/backends/database_url.h"
#include "nerve/backends/open.h"
#include "nerve/command.h"
#include "nerve/core/output.h"
#include "nerve/workspace/workspace.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::cli {

/// What every command works with: where it speaks to, and which database and repository are meant. Flags beat
/// the environment, which beats nerve.toml: whoever gives --workspace means its database and its repository,
/// and not those of NERVE_DB and NERVE_REPO. Nothing is looked up before a command asks for it.
class Context final : public CommandContext {
 public:
  /// Borrows both.
  Context(Output& output, const Arguments& arguments) : output_(output), arguments_(arguments) {}

  Output& output() noexcept override { return output_; }
  Stores& stores() override { return open_workspace(); }
  Scope scope() override;
  Scope tenant_scope(const Arguments& arguments) override;
  void require_confirmation(std::string_view question) override;

  /// The workspace with its stores, opened for writing when they are asked for. Throws NotFoundError where
  /// there is none.
  nerve::workspace::Workspace& open_workspace();
  const Workspace& workspace();
  const Config& config() { return workspace().config; }
  /// The settings for a command that wants no more than a limit from them. Where database and repository are
  /// both named, a nerve.toml that was only found and cannot be used must not stop a backup: it is left aside
  /// with a warning, and the defaults hold.
  const Config& settings_for_copying();

  /// The database that --db, NERVE_DB or the workspace names. Throws ValidationError when none does.
  DatabaseUrl database();
  /// The same for commands that work on files. Throws UnsupportedError for PostgreSQL; `instead` is a
  /// sentence that says what to use there.
  std::filesystem::path database_file(std::string_view instead);
  /// The file that --db names; nothing without that option.
  std::optional<std::filesystem::path> named_database_file(std::string_view instead);

  /// Whose newest backup "latest" is: of the file that --db names; else, in the repository of a workspace, of
  /// its core store; else it is not known.
  std::optional<std::filesystem::path> database_of_latest(std::string_view instead);

  /// The folder of the backups, and a note that says which it is. Without --repo, NERVE_REPO and a workspace
  /// it stands beside the database; throws ValidationError when no database is named either.
  std::filesystem::path repository();
  /// The same without the note, for commands that only look into it.
  std::filesystem::path repository_folder();

  /// How the settings ask for a database to be opened for reading.
  OpenOptions read_options();
  /// Opens a database for reading as the settings ask.
  std::unique_ptr<db::Database> open_for_reading(const std::string& url);
  /// Whether --db or, without --workspace, NERVE_DB names a database, so that the workspace's own are not
  /// meant.
  bool is_database_named() { return named_database().has_value(); }
  /// Adds what `database` did to the query log, where the settings name one.
  void keep_query_log(db::Database& database);
  /// The same for the stores that were opened.
  void keep_store_logs();

 private:
  std::optional<std::string> named_database();
  std::optional<std::string> place_of_environment(const char* variable) const;

  Output& output_;
  const Arguments& arguments_;
  std::optional<Workspace> workspace_;
  std::unique_ptr<nerve::workspace::Workspace> open_workspace_;
};

}  // namespace nerve::cli
