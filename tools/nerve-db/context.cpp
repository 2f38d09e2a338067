// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include "confirm.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace nerve::cli {

namespace {

constexpr std::string_view default_database = "nerve.db";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::filesystem::path require_file(const DatabaseUrl& url, std::string_view instead) {
  if (url.engine == db::Dialect::sqlite) return url.location;
  throw UnsupportedError("this command works on SQLite files, and a PostgreSQL server was named",
                         std::string(instead));
}

}  // namespace

const Workspace& Context::workspace() {
  if (!workspace_) {
    const std::optional<std::string> named = arguments_.text("--workspace");
    workspace_ = find_workspace(named ? std::optional<std::filesystem::path>(*named) : std::nullopt);
  }
  return *workspace_;
}

const Config& Context::settings_for_copying() {
  const bool are_places_named =
      named_database() && (arguments_.has("--repo") || place_of_environment("NERVE_REPO"));
  const bool is_workspace_named = arguments_.has("--workspace") || environment("NERVE_WORKSPACE");
  if (!are_places_named || is_workspace_named) return config();
  try {
    return config();
  } catch (const Error& error) {
    output_.warning(fmt::format("the settings are left aside, and the defaults hold: {}", error.what()));
    workspace_ = Workspace{std::nullopt, Config::defaults()};
    return workspace_->config;
  }
}

void Context::require_confirmation(std::string_view question) {
  const bool yes = arguments_.has("--yes");
  require_answerable(output_, yes);
  if (!yes && !confirm(output_, question)) throw CancelledError("nothing was changed");
}

std::optional<std::string> Context::place_of_environment(const char* variable) const {
  if (arguments_.has("--workspace")) return std::nullopt;
  return environment(variable);
}

std::optional<std::string> Context::named_database() {
  if (auto named = arguments_.text("--db")) return named;
  return place_of_environment("NERVE_DB");
}

DatabaseUrl Context::database() {
  if (const auto named = named_database()) return parse_database_url(*named);
  if (!workspace().folder) {
    throw ValidationError("no database is named",
                          "Add --db PATH, set NERVE_DB, or work in a folder with a nerve.toml.");
  }
  DatabaseUrl url{db::Dialect::sqlite, std::string(default_database)};
  if (config().has("database.url")) url = parse_database_url(config().text("database.url"));
  if (url.engine == db::Dialect::sqlite) url.location = *workspace().folder / url.location;
  return url;
}

std::filesystem::path Context::database_file(std::string_view instead) {
  return require_file(database(), instead);
}

std::optional<std::filesystem::path> Context::named_database_file(std::string_view instead) {
  const auto named = arguments_.text("--db");
  if (!named) return std::nullopt;
  return require_file(parse_database_url(*named), instead);
}

std::optional<std::filesystem::path> Context::database_of_latest(std::string_view instead) {
  if (auto named = named_database_file(instead)) return named;
  const bool is_repository_named = arguments_.has("--repo") || place_of_environment("NERVE_REPO");
  if (is_repository_named || named_database() || !workspace().folder) return std::nullopt;
  const DatabaseUrl core = database();
  if (core.engine != db::Dialect::sqlite) return std::nullopt;
  return core.location;
}

std::filesystem::path Context::repository() {
  std::filesystem::path folder = repository_folder();
  output_.note(fmt::format("repository: {}", folder.string()));
  return folder;
}

std::filesystem::path Context::repository_folder() {
  if (const auto named = arguments_.text("--repo")) return *named;
  if (const auto named = place_of_environment("NERVE_REPO")) return *named;
  if (workspace().folder) return config().path("backup.repository");
  if (const auto named = named_database()) {
    const DatabaseUrl url = parse_database_url(*named);
    if (url.engine == db::Dialect::sqlite) {
      std::filesystem::path file = std::filesystem::absolute(url.location).lexically_normal();
      return file += ".backups";
    }
  }
  throw ValidationError("no backup repository is named",
                        "Add --repo DIR, or name the database with --db PATH.");
}

OpenOptions Context::read_options() {
  const auto milliseconds = [this](std::string_view key) {
    return std::chrono::milliseconds(config().integer(key));
  };
  OpenOptions options;
  options.read_only = true;
  options.database.pool_size = static_cast<std::size_t>(config().integer("database.pool_size"));
  options.busy_timeout = milliseconds("database.busy_timeout_ms");
  options.statement_timeout = milliseconds("database.statement_timeout_ms");
  options.lock_timeout = milliseconds("database.lock_timeout_ms");
  options.password_file = config().path("database.password_file");
  return options;
}

std::unique_ptr<db::Database> Context::open_for_reading(const std::string& url) {
  auto database = open_database(url, read_options());
  database->query_log().set_slow_threshold(std::chrono::milliseconds(config().integer("query_log.slow_ms")));
  return database;
}

nerve::workspace::Workspace& Context::open_workspace() {
  if (!open_workspace_) {
    if (!workspace().folder) {
      throw NotFoundError("there is no workspace here",
                          "Name one with --workspace DIR, or make one: nerve-db init DIR.");
    }
    nerve::workspace::WorkspaceOptions options;
    options.open = read_options();
    options.open.read_only = false;
    open_workspace_ = std::make_unique<nerve::workspace::Workspace>(*workspace().folder, config(), options);
  }
  return *open_workspace_;
}

void Context::keep_store_logs() {
  if (!open_workspace_) return;
  for (db::Database* database : open_workspace_->open_databases()) keep_query_log(*database);
}

void Context::keep_query_log(db::Database& database) {
  const std::filesystem::path file = config().path("query_log.file");
  if (!file.empty()) database.query_log().merge_into(file);
}

}  // namespace nerve::cli
