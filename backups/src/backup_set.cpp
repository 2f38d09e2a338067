// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup_set.h"

#include "backup_steps.h"
#include "container_run.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace nerve::backups {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

/// Who holds one of the databases and waits for another must get it, so nobody is waited for longer than this
/// while a lock is held.
constexpr std::chrono::milliseconds patience_with_lock{20};
constexpr std::chrono::milliseconds pause_between_tries{5};

/// Keeps every writer from several databases.
class WriteBarrier {
 public:
  /// Throws ConnectionError where they cannot be had together by then, and what Session throws.
  WriteBarrier(const std::vector<std::filesystem::path>& databases, const Deadline& deadline) {
    while (!try_to_lock(databases, deadline)) {
      sessions_.clear();
      throw_if_interrupted();
      std::this_thread::sleep_for(pause_between_tries);
    }
  }

 private:
  /// False where somebody has one of them and may want another.
  bool try_to_lock(const std::vector<std::filesystem::path>& databases, const Deadline& deadline) {
    for (const std::filesystem::path& database : databases) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const auto patience =
          sessions_.empty() ? std::max(left, std::chrono::milliseconds(0)) : patience_with_lock;
      sqlite::SessionOptions options;
      options.mode = sqlite::OpenMode::read_write;
      options.busy_timeout_ms = static_cast<int>(patience.count());
      try {
        auto session = std::make_unique<sqlite::Session>(database, options);
        // Nothing is to be written to the database, not even what its -wal holds.
        ::sqlite3_db_config(session->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        session->execute("BEGIN IMMEDIATE");
        sessions_.push_back(std::move(session));
      } catch (const ConnectionError&) {
        if (std::chrono::steady_clock::now() >= deadline) throw;
        return false;
      }
    }
    return true;
  }

  std::vector<std::unique_ptr<sqlite::Session>> sessions_;
};

void require_possible_set(const std::vector<SetMember>& members) {
  for (const SetMember& member : members) {
    require_possible(member.options);
    if (member.options.form == Form::plain) {
      throw ValidationError("several databases are backed up at one moment, which a plain copy cannot be",
                            "Leave --plain away, or name one database with --db.");
    }
  }
}

/// One database on its way into the set.
struct MemberRun {
  const SetMember& member;
  sqlite::FileFacts facts = {};
  std::unique_ptr<ContainerRun> run = nullptr;          ///< null where it cannot be stored page by page
  std::optional<IntegrityError> damage = std::nullopt;  ///< why not, where it is no database any more
  std::optional<Error> failure = std::nullopt;          ///< why there will be no backup of it
};

/// What one member fails at is kept, so that the others go on.
template <class Work>
void attempt(MemberRun& one, Work work) {
  if (one.failure) return;
  try {
    work();
  } catch (const CancelledError&) {
    throw;
  } catch (const Error& error) {
    one.failure = error;
  }
}

void begin(MemberRun& one, const SetFacts& set, const Repository& repository, const Clock& clock,
           ProgressSink* progress) {
  one.facts = sqlite::read_file_facts(one.member.source);
  try {
    require_possible_place(one.facts, repository);
  } catch (const IntegrityError& error) {
    one.damage = error;
    return;
  }
  one.run = std::make_unique<ContainerRun>(one.facts, repository, one.member.options, clock, progress);
  one.run->manifest().set = set;
}

void pin(std::vector<MemberRun>& runs) {
  const BackupOptions& options = runs.front().member.options;
  const auto tell = [&](const std::string& note) {
    if (options.on_note) options.on_note(note);
  };
  std::vector<std::filesystem::path> databases;
  for (const MemberRun& one : runs) {
    if (one.run) databases.push_back(one.member.source);
  }
  std::optional<WriteBarrier> barrier;
  try {
    barrier.emplace(databases, std::chrono::steady_clock::now() + options.busy_timeout);
  } catch (const DeniedError&) {
    tell("not all of the databases may be written, so their states are some milliseconds apart");
  } catch (const IntegrityError&) {
    tell("one of the databases is damaged, so their states may be some milliseconds apart");
  }
  for (MemberRun& one : runs) {
    if (one.run) attempt(one, [&] { one.run->pin(); });
  }
}

Manifest store(MemberRun& one, const Timestamp& pinned_at, const Repository& repository, const Clock& clock,
               ProgressSink* progress) {
  return with_hints_of_damage(one.facts, repository, [&]() -> Manifest {
    if (one.damage) {
      keep_files_and_throw(*one.damage, one.facts, repository, one.member.options, clock, progress);
    }
    one.run->manifest().created_at = pinned_at;
    one.run->store();
    return one.run->publish();
  });
}

}  // namespace

SetBackup create_backup_set(const std::vector<SetMember>& members, const Repository& repository,
                            const Clock& clock, ProgressSink* progress) {
  require_possible_set(members);
  std::vector<MemberRun> runs;
  SetFacts set{new_id<SetTag>(), {}, {}};
  for (const SetMember& member : members) {
    runs.push_back({member});
    set.roles.push_back(member.role);
  }
  for (MemberRun& one : runs) {
    set.role = one.member.role;
    attempt(one, [&] { begin(one, set, repository, clock, progress); });
  }
  pin(runs);
  const Timestamp pinned_at = clock.now();
  SetBackup made;
  for (MemberRun& one : runs) {
    attempt(one, [&] { made.stored.push_back(store(one, pinned_at, repository, clock, progress)); });
    if (one.failure) made.failures.push_back(*one.failure);
  }
  return made;
}

std::optional<std::vector<Manifest>> find_set(const Repository& repository, const Manifest& member) {
  if (!member.set) return std::nullopt;
  std::vector<Manifest> found;
  const std::vector<Entry> entries = repository.list();
  for (const std::string& role : member.set->roles) {
    const auto one = std::ranges::find_if(entries, [&](const Entry& entry) {
      return entry.manifest && entry.manifest->state == State::good && entry.manifest->set &&
             entry.manifest->set->id == member.set->id && entry.manifest->set->role == role;
    });
    if (one == entries.end()) return std::nullopt;
    found.push_back(*one->manifest);
  }
  return found;
}

}  // namespace nerve::backups
