// SPDX-License-Identifier: Apache-2.0
// What nerve-db health looks at: the checks of an engine, and those of what belongs to a database besides.
#include "health_report.h"

#include "backup_repository.h"
#include "backup_stores.h"
#include "context.h"
#include "store_identities.h"
#include "workspace_checks.h"

#include "nerve/arguments.h"
#include "nerve/backends/postgresql/health.h"
#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/backups/health.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/health/checklist.h"
#include "nerve/health/state_file.h"
#include "nerve/workspace/workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

/// One database of a run: what is looked at, and what is left out.
struct Run {
  Context& context;
  const Arguments& arguments;
  DatabaseUrl url;
  std::optional<Store> store;  ///< of the workspace, where that is what is meant
  health::Skipped skip;
  ProgressSink* progress;
};

std::filesystem::path repository_of(const Run& run) {
  return std::filesystem::absolute(run.context.repository_folder()).lexically_normal();
}

/// Whether a command of a fix finds the repository only when it is named: it runs in another folder, and
/// without the variables of this one.
bool names_repository(const Run& run) {
  if (run.arguments.has("--repo")) return true;
  std::filesystem::path beside = std::filesystem::absolute(run.url.location).lexically_normal();
  const std::filesystem::path folder = repository_of(run);
  if (folder == (beside += ".backups")) return false;
  const std::filesystem::path of_workspace = run.context.config().path("backup.repository");
  return !run.store || folder != std::filesystem::absolute(of_workspace).lexically_normal();
}

/// What the backups of the database are measured against, and by which names fixes mean it. `key` borrows.
backups::HealthOptions backup_options(const Run& run, const backups::BackupKey* key) {
  const Config& config = run.context.config();
  backups::HealthOptions options;
  options.key = key;
  options.witness_folder = state_folder();
  options.backup_age_max = std::chrono::hours(config.integer("health.backup_max_hours"));
  options.verified_age_max = std::chrono::hours(config.integer("health.verified_max_hours"));
  options.names_repository = names_repository(run);
  options.skip = run.skip;
  if (!run.store) return options;
  options.workspace = std::filesystem::absolute(*run.context.workspace().folder).lexically_normal();
  const std::vector<StoreFile> stores = store_files(run.context);
  // A folder with settings and one store, or one on PostgreSQL, has no sets.
  if (stores.size() != every_store.size()) return options;
  for (const StoreFile& one : stores) options.stores.push_back(one.file);
  return options;
}

std::optional<backups::BackupKey> key_of(const Run& run) {
  return keys_at_hand(run.context, run.arguments, std::filesystem::path(run.url.location));
}

/// The file with what earlier runs saw; a workspace alone has one.
std::optional<health::StateFile> state_file(Context& context) {
  if (!context.workspace().folder) return std::nullopt;
  const std::filesystem::path file = context.config().path("health.state_file");
  if (file.empty()) return std::nullopt;
  return health::StateFile(file);
}

std::string canonical_name(const std::filesystem::path& file) {
  return backups::source_name(file);
}

/// What the last run saw; where it is not known, what the newest backup holds.
std::optional<sqlite::EarlierSize> earlier_size(const Run& run) {
  const std::filesystem::path file = run.url.location;
  if (const auto state = state_file(run.context)) {
    if (const auto seen = state->find(canonical_name(file))) {
      return sqlite::EarlierSize{seen->size_bytes, seen->seen_at, "the last run"};
    }
  }
  try {
    const auto newest = backups::Repository::open(repository_of(run)).newest_of(file);
    if (!newest) return std::nullopt;
    return sqlite::EarlierSize{newest->database_bytes(), newest->created_at,
                               "backup " + newest->id.short_text()};
  } catch (const NotFoundError&) {
    return std::nullopt;
  }
}

/// That nothing can be kept is no fault of the database.
void keep_size(const Run& run) {
  const auto state = state_file(run.context);
  std::error_code error;
  const std::uintmax_t size_bytes = std::filesystem::file_size(run.url.location, error);
  if (!state || error || run.skip.contains("sqlite.growth")) return;
  try {
    state->keep(canonical_name(run.url.location), {size_bytes, system_clock().now()});
  } catch (const ValidationError&) {
    return;  // sqlite.growth says so already
  } catch (const Error& error_of_file) {
    run.context.output().note(
        fmt::format("the size could not be kept for the next run: {}", error_of_file.what()));
  }
}

void add_sqlite_checks(const Run& run, health::Report& report) {
  const Config& config = run.context.config();
  sqlite::HealthOptions options;
  options.is_deep = run.arguments.has("--deep");
  options.free_disk_min_percent = static_cast<double>(config.integer("health.free_disk_min_percent"));
  options.free_list_max_percent = static_cast<double>(config.integer("health.free_list_max_percent"));
  options.wal_bytes_max = static_cast<std::uint64_t>(config.integer("health.wal_max_mib")) << 20;
  options.growth_max_percent = static_cast<double>(config.integer("health.growth_max_percent"));
  options.progress = run.progress;
  options.earlier_size = [&run] { return earlier_size(run); };
  std::optional<std::string> way_back;
  options.way_back = [&run, &way_back] {
    if (!way_back) {
      const std::optional<backups::BackupKey> key = key_of(run);
      way_back = backups::way_back(sqlite::read_file_facts(run.url.location).path, repository_of(run),
                                   backup_options(run, key ? &*key : nullptr));
    }
    return *way_back;
  };
  options.skip = run.skip;
  report = sqlite::check_health(run.url.location, options);
  keep_size(run);
}

/// Whether a check is of the database itself, and not of the place it lies in or of what helps it.
bool is_of_content(const health::Check& check) {
  return check.id.starts_with("sqlite.") &&
         std::ranges::find(sqlite::place_check_ids(), check.id) == sqlite::place_check_ids().end();
}

/// What mends the worst that was found of the database; empty where nothing of it is critical. An index that
/// is made anew mends nothing else.
std::string remedy_of(const health::Report& report) {
  std::string remedy;
  for (const health::Check& check : report.checks) {
    if (check.status != health::Status::critical || !is_of_content(check)) continue;
    const bool is_better = remedy.empty() || remedy.starts_with("sqlite3 ");
    if (is_better) remedy = check.fix.empty() ? "Look at what is critical first." : check.fix;
  }
  return remedy;
}

/// What is to be done about a damaged database is one thing; all else is for the sound one.
void give_one_remedy(const std::string& remedy, health::Report& report) {
  if (remedy.empty()) return;
  for (health::Check& check : report.checks) {
    if (check.status == health::Status::ok || !is_of_content(check)) continue;
    if (check.status == health::Status::critical) {
      check.fix = remedy;
    } else if (!check.fix.empty()) {
      check.fix = "Mend the database first.";
    }
  }
}

void add_backup_checks(const Run& run, health::Report& report) {
  const std::optional<backups::BackupKey> key = key_of(run);
  backups::HealthOptions options = backup_options(run, key ? &*key : nullptr);
  options.remedy = remedy_of(report);
  give_one_remedy(options.remedy, report);
  if (run.store && options.remedy.empty()) {
    const auto problem = look_at_identity(run.context, {*run.store, run.url.location}).problem;
    if (problem) options.remedy = problem->hint();
  }
  backups::check_backups(report.target, repository_of(run), options, system_clock(), report);
}

void add_postgresql_checks(const Run& run, health::Report& report) {
  const auto database = run.context.open_for_reading(run.url.location);
  postgresql::HealthOptions options;
  options.url = run.url.location;
  options.skip = run.skip;
  report = postgresql::check_health(*database, options, system_clock());
  run.context.keep_query_log(*database);
}

/// A part of the report: the checks it may add, and for which engine it is. The first part for an engine
/// makes the report, the others add to it.
struct Part {
  db::Dialect engine;
  std::span<const std::string_view> (*ids)() noexcept;
  void (*add)(const Run& run, health::Report& report);
};

constexpr std::array parts = {
    Part{db::Dialect::sqlite, &sqlite::health_check_ids, &add_sqlite_checks},
    Part{db::Dialect::sqlite, &backups::health_check_ids, &add_backup_checks},
    Part{db::Dialect::postgresql, &postgresql::health_check_ids, &add_postgresql_checks},
};

/// The checks that nerve.toml leaves out. A misspelt id would leave out nothing and nobody would notice.
health::Skipped skipped_checks(const Config& config) {
  std::vector<std::string_view> known;
  for (const Part& part : parts) known.insert(known.end(), part.ids().begin(), part.ids().end());
  for (const std::string_view id : workspace_check_ids()) known.push_back(id);
  health::Skipped skipped;
  for (const std::string& id : config.text_list("health.skip")) {
    if (std::ranges::find(known, id) == known.end()) {
      const auto match = closest_match(id, known);
      throw ValidationError(
          fmt::format("{}: health.skip names a check that does not exist: {}", config.where("health.skip"),
                      sanitize_for_terminal(id)),
          match ? fmt::format("Did you mean {}?", *match) : "docs/health.md lists the checks.");
    }
    skipped.insert(id);
  }
  return skipped;
}

health::Report check_one(const Run& run) {
  health::Report report;
  for (const Part& part : parts) {
    if (part.engine == run.url.engine) part.add(run, report);
  }
  return report;
}

/// The databases that are meant: both stores of a workspace, each with its name, or the one that is named.
std::vector<std::pair<DatabaseUrl, std::optional<Store>>> databases_of(Context& context) {
  const DatabaseUrl core = context.database();
  if (context.is_database_named() || !context.workspace().folder) return {{core, std::nullopt}};
  DatabaseUrl secure = parse_database_url(
      nerve::workspace::store_url(*context.workspace().folder, context.config(), Store::secure));
  // A folder that only holds settings need not have a second store.
  std::error_code error;
  const bool is_there =
      secure.engine != db::Dialect::sqlite || std::filesystem::exists(secure.location, error);
  if (!context.config().has("workspace.id") && !is_there) return {{core, std::nullopt}};
  return {{core, Store::core}, {std::move(secure), Store::secure}};
}

/// A server that cannot be reached is told of once, and not again by each check that would have asked it.
void tell_failures_once(health::Report& report) {
  std::vector<std::pair<std::string, std::string>> told;  // the message, and the check that has it
  for (health::Check& check : report.checks) {
    if (check.status == health::Status::critical && check.value == "failed") {
      told.emplace_back(check.message, check.name());
      continue;
    }
    if (check.status != health::Status::unknown) continue;
    for (const auto& [message, name] : told) {
      if (!check.message.ends_with(message)) continue;
      check.message.replace(check.message.size() - message.size(), message.size(), name + " failed");
      check.fix.clear();
      break;
    }
  }
}

}  // namespace

health::Report make_health_report(Context& context, const Arguments& arguments, ProgressSink* progress) {
  const health::Skipped skip = skipped_checks(context.config());
  health::Report report;
  for (auto& [url, store] : databases_of(context)) {
    health::Report made = check_one({.context = context,
                                     .arguments = arguments,
                                     .url = url,
                                     .store = store,
                                     .skip = skip,
                                     .progress = progress});
    if (report.target.empty()) report.target = made.target;
    for (health::Check& check : made.checks) {
      if (store) check.store = to_string(*store);
      report.checks.push_back(std::move(check));
    }
  }
  add_workspace_checks(context, skip, report);
  tell_failures_once(report);
  return report;
}

}  // namespace nerve::cli
