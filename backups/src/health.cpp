// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/health.h"

#include "lines.h"
#include "repository_folder.h"
#include "witness.h"

#include "nerve/backups/latest_set.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/salvage.h"
#include "nerve/backups/schedule.h"
#include "nerve/backups/verification.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace nerve::backups {

using health::Check;
using health::Status;

namespace {

constexpr std::array<std::string_view, 3> ids = {"backup.age", "backup.verified", "backup.schedule"};

/// What a repository holds of one database.
struct Backups {
  std::optional<Manifest> newest;        ///< the newest good one that was asked for
  std::optional<Manifest> newest_kept;   ///< the newest good one that a restore kept
  std::optional<LatestSet> set;          ///< the newest whole one, in a workspace
  bool is_set_missed = false;            ///< in a workspace there is none
  std::optional<Entry> problem;          ///< a later one that cannot be trusted, of whichever database
  std::optional<Entry> unauthenticated;  ///< one of it that may be somebody else's
  std::set<std::string> copies;          ///< where copies were made, where the repository is not there
  std::string missed;                    ///< why the repository is not what it was
  std::string of_others;  ///< why none of the backups under its name is one of it; empty where one may be
  std::optional<Verification> verification;  ///< the latest of all good ones
  std::vector<Entry> entries;                ///< all that the repository holds, the oldest first
};

/// Leaves out the backups of other databases that had its name (lines.h). Says why where all are.
std::string keep_own(const Repository& repository, const std::string& source, std::vector<Entry>& entries) {
  try {
    keep_line_at(repository, source, entries);
    return {};
  } catch (const ConflictError& error) {
    std::erase_if(
        entries, [&](const Entry& entry) { return entry.manifest && entry.manifest->source.path == source; });
    return error.what();
  }
}

/// Of the stores of a workspace only a whole set can be restored by "latest".
void find_set(const Repository& repository, const HealthOptions& options, Backups& found) {
  if (options.stores.empty()) return;
  try {
    found.set = latest_set(repository, options.stores);
    found.is_set_missed = !found.set;
  } catch (const IntegrityError&) {
    return;  // `missed` says it
  } catch (const ConflictError&) {
    return;  // `of_others` says it
  }
}

Backups find_backups(const std::filesystem::path& database, const std::filesystem::path& folder,
                     const HealthOptions& options) {
  Backups found;
  std::optional<Repository> repository;
  try {
    repository = Repository::open(folder).witnessed_in(options.witness_folder).for_key(options.key);
  } catch (const NotFoundError&) {
    found.copies = remembered_copies(folder, options.witness_folder);
    return found;
  }
  found.missed = reason_to_miss(*repository);
  const std::string source = source_name(database);
  found.entries = repository->list();
  found.of_others = keep_own(*repository, source, found.entries);
  for (const Entry& entry : found.entries) {
    if (!entry.manifest) continue;
    const Manifest& manifest = *entry.manifest;
    if (manifest.source.path != source || manifest.state != State::good) continue;
    const auto verification = last_verification(*repository, manifest.id);
    if (verification &&
        (!found.verification || found.verification->verified_at < verification->verified_at)) {
      found.verification = verification;
    }
    const bool is_newer = !found.newest || manifest.sequence >= found.newest->sequence;
    if (manifest.kind == Kind::safety) {
      if (!found.newest_kept || manifest.sequence >= found.newest_kept->sequence)
        found.newest_kept = manifest;
    } else if (is_newer) {
      found.newest = manifest;
    }
  }
  for (const Entry& entry : found.entries) {
    if (entry.manifest) continue;
    if (entry.is_unauthenticated && entry.source == source) found.unauthenticated = entry;
    if (!entry.is_invented && (!found.newest || is_later(entry, *found.newest))) found.problem = entry;
  }
  find_set(*repository, options, found);
  return found;
}

/// The arguments by which a command of nerve-db means this database and repository.
std::string operands(const std::filesystem::path& database, const std::filesystem::path& repository,
                     const HealthOptions& options) {
  std::string text = "--db " + shell_word(database.string());
  if (options.names_repository) text += " --repo " + shell_word(repository.string());
  if (!options.workspace.empty()) text += " --workspace " + shell_word(options.workspace.string());
  return text;
}

/// Those of a command that means the stores of the workspace together, where the database is one of them.
std::string operands_of_all(const std::filesystem::path& database, const std::filesystem::path& repository,
                            const HealthOptions& options) {
  if (options.stores.empty()) return operands(database, repository, options);
  std::string text = "--workspace " + shell_word(options.workspace.string());
  if (options.names_repository) text += " --repo " + shell_word(repository.string());
  return text;
}

/// Never negative: the clock may have been set back.
std::chrono::microseconds age_of(Timestamp time, const Clock& clock) {
  return std::max(clock.now() - time, std::chrono::microseconds(0));
}

void measure(Check& check, std::chrono::microseconds age, std::chrono::hours age_max) {
  check.value = format_duration(age);
  check.number = std::chrono::duration<double>(age).count();
  check.unit = "seconds";
  if (age > age_max) check.status = Status::warning;
}

/// The one command that restores what `backups` holds; empty where it holds nothing that can be.
std::string restore_of(const Backups& backups, const std::string& one, const std::string& all) {
  if (backups.set) return "nerve-db restore latest " + all;
  if (!backups.of_others.empty()) return "";
  if (backups.newest) {
    // Of one that may be newer nobody knows what it holds, so "latest" is refused then.
    const bool is_latest = !backups.problem && backups.missed.empty() && !backups.newest->is_emptied;
    return fmt::format("nerve-db restore {} {}",
                       is_latest ? std::string("latest") : std::string(backups.newest->id.short_text()), one);
  }
  if (!backups.newest_kept) return "";
  return fmt::format("nerve-db restore {} {}  # what a restore has kept",
                     backups.newest_kept->id.short_text(), one);
}

Check found_age(const Backups& backups, const std::string& name, const HealthOptions& options,
                const Clock& clock) {
  Check check{.id = std::string(ids[0]),
              .status = Status::ok,
              .value = "none",
              .threshold = fmt::format("at most {} h", options.backup_age_max.count()),
              .message = {},
              .fix = {}};
  if (backups.set) {
    const auto first = std::ranges::min_element(backups.set->members, {}, &Manifest::created_at);
    check.message = fmt::format("the newest whole set of all stores is that of {}", first->id.short_text());
    measure(check, age_of(first->created_at, clock), options.backup_age_max);
  } else if (backups.is_set_missed && backups.newest) {
    check.status = Status::warning;
    check.message = fmt::format(
        "there is no whole set of backups of all stores: the newest good backup of this one, {}, was made of "
        "it alone",
        backups.newest->id.short_text());
  } else if (backups.newest) {
    check.message = fmt::format("the newest good backup is {}", backups.newest->id.short_text());
    measure(check, age_of(backups.newest->created_at, clock), options.backup_age_max);
  } else {
    check.status = Status::warning;
    check.message = fmt::format("there is no backup of {}, so none that was verified", name);
    if (backups.newest_kept) {
      check.message = fmt::format("there is no backup of {} but what a restore has kept of it, {}", name,
                                  backups.newest_kept->id.short_text());
    }
    if (!backups.of_others.empty()) check.message += "; " + backups.of_others;
  }
  return check;
}

Check check_age(const Backups& backups, const std::string& name, const std::string& arguments,
                const std::string& all, const HealthOptions& options, const Clock& clock) {
  Check check = found_age(backups, name, options, clock);
  if (backups.problem) {
    check.status = Status::warning;
    check.message += fmt::format("; a later one, {}, cannot be trusted: {}", backups.problem->name,
                                 backups.problem->problem);
  }
  if (check.status != Status::ok) {
    check.fix = options.remedy.empty() ? "nerve-db backup " + all : options.remedy;
  }
  if (!backups.copies.empty()) {
    check.message += fmt::format("; the repository is not there, and copies of it were made in {}",
                                 fmt::join(backups.copies, " and "));
    check.fix = "nerve-db backup list --repo " + shell_word(*backups.copies.begin());
  }
  if (backups.unauthenticated) {
    check.status = Status::warning;
    check.message += fmt::format("; {} is not one of yours: {}", backups.unauthenticated->name,
                                 backups.unauthenticated->problem);
    if (check.fix.empty()) check.fix = "nerve-db backup verify --all " + arguments;
  }
  if (!backups.missed.empty()) {
    check.status = Status::warning;
    check.message += "; " + backups.missed;
    if (check.fix.empty()) check.fix = "nerve-db backup list " + arguments;
  }
  return check;
}

Check check_verified(const Backups& backups, const std::string& arguments, const HealthOptions& options,
                     const Clock& clock) {
  Check check{.id = std::string(ids[1]),
              .status = Status::ok,
              .value = "never",
              .threshold = fmt::format("at most {} h", options.verified_age_max.count()),
              .message = {},
              .fix = {}};
  if (backups.verification) {
    check.message = fmt::format("a backup was last proved by {}",
                                backups.verification->proof == Proof::restore ? "a restore" : "verification");
    measure(check, age_of(backups.verification->verified_at, clock), options.verified_age_max);
  } else {
    check.status = Status::warning;
    check.message = "no backup was ever verified or restored";
  }
  if (check.status != Status::ok) check.fix = "nerve-db backup verify latest --deep " + arguments;
  return check;
}

/// What starts the backups again.
std::string start_command(const Promise& promise, const std::string& arguments) {
  if (promise.starter == Starter::cron) return "nerve-db backup " + arguments;
  const std::string systemctl = promise.starter == Starter::user_timer ? "systemctl --user" : "systemctl";
  const std::string timer = shell_word(promise.unit);
  const std::string service = shell_word(promise.unit.substr(0, promise.unit.rfind('.')) + ".service");
  return fmt::format("{0} enable --now {1} && {0} start {2}", systemctl, timer, service);
}

Check check_schedule(const Promise& promise, const Backups& backups, const std::string& arguments,
                     const HealthOptions& options, const Clock& clock) {
  const PromiseState state = state_of(promise, backups.entries, clock);
  Check check{.id = std::string(ids[2]),
              .status = Status::ok,
              .value = format_duration(state.age),
              .threshold = fmt::format("at most {}, twice what is promised",
                                       format_duration(late_after * promise.interval)),
              .message = {},
              .fix = {},
              .number = std::chrono::duration<double>(state.age).count(),
              .unit = "seconds"};
  const std::string promised =
      fmt::format("a backup every {} is promised", format_duration(promise.interval));
  switch (state.keeping) {
    case Keeping::kept:
      check.message = state.newest ? promised : promised + ", and the first is still to come";
      return check;
    case Keeping::late:
      check.status = Status::warning;
      break;
    case Keeping::broken:
      check.status = Status::critical;
      break;
  }
  const auto missed = state.age / std::chrono::microseconds(promise.interval);
  check.message = fmt::format("{}, and {} in a row did not come", promised, missed);
  check.fix = options.remedy.empty() ? start_command(promise, arguments)
                                     : "Mend the database first: its backups go on then.";
  return check;
}

/// Where nobody promised anything there is nothing to check.
void add_schedule(const std::filesystem::path& database, const std::filesystem::path& folder,
                  const Backups& backups, const std::string& arguments, const HealthOptions& options,
                  const Clock& clock, health::Checklist& list) {
  std::optional<Promise> promise;
  try {
    promise = promise_of(Repository::open(folder), database);
    if (!promise) return;
  } catch (const NotFoundError&) {
    return;
  } catch (const Error& error) {
    list.add(health::unknown_check(ids[2], error.what(), error.hint()));
    return;
  }
  list.attempt(ids[2], [&] { return check_schedule(*promise, backups, arguments, options, clock); });
}

}  // namespace

std::span<const std::string_view> health_check_ids() noexcept {
  return ids;
}

void check_backups(const std::filesystem::path& database, const std::filesystem::path& repository,
                   const HealthOptions& options, const Clock& clock, health::Report& report) {
  health::Checklist list(report, options.skip);
  const std::string arguments = operands(database, repository, options);
  const std::string all = operands_of_all(database, repository, options);
  std::optional<Backups> backups;
  const Check age = health::Checklist::evaluate(ids[0], [&] {
    backups = find_backups(database, repository, options);
    return check_age(*backups, database.string(), arguments, all, options, clock);
  });
  list.add(age);
  if (!backups) {
    list.add(health::unknown_check(ids[1], health::reason_of(age)));
  } else if (backups->newest) {
    list.attempt(ids[1], [&] { return check_verified(*backups, arguments, options, clock); });
  }
  if (backups) add_schedule(database, repository, *backups, all, options, clock, list);
}

std::string way_back(const std::filesystem::path& database, const std::filesystem::path& repository,
                     const HealthOptions& options) {
  const std::string one = operands(database, repository, options);
  try {
    const Backups backups = find_backups(database, repository, options);
    std::string command = restore_of(backups, one, operands_of_all(database, repository, options));
    if (!command.empty()) return command;
    if (!backups.of_others.empty()) {
      return "nerve-db backup list " + one + "  # several databases had this name: restore one by its id";
    }
    if (!backups.copies.empty()) return "nerve-db backup list --repo " + shell_word(*backups.copies.begin());
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return "nerve-db backup list " + one;  // it says what is wrong with the repository
  }
  std::error_code error;
  if (!std::filesystem::exists(database, error))
    return "There is no backup of it: look for the file where it was before.";
  if (!can_salvage(database)) return "";
  return fmt::format("There is no backup of it: nerve-db salvage --db {} --to FILE writes what can be read.",
                     shell_word(database.string()));
}

}  // namespace nerve::backups
