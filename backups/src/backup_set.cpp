// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup_set.h"

#include "backup_steps.h"
#include "container_run.h"
#include "full_age.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
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
  WriteBarrier(const std::vector<SetMember>& members, const Deadline& deadline) {
    while (!try_to_lock(members, deadline)) {
      sessions_.clear();
      throw_if_interrupted();
      std::this_thread::sleep_for(pause_between_tries);
    }
  }

 private:
  /// False where somebody has one of them and may want another.
  bool try_to_lock(const std::vector<SetMember>& members, const Deadline& deadline) {
    for (const SetMember& member : members) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const auto patience =
          sessions_.empty() ? std::max(left, std::chrono::milliseconds(0)) : patience_with_lock;
      sqlite::SessionOptions options;
      options.mode = sqlite::OpenMode::read_write;
      options.busy_timeout_ms = static_cast<int>(patience.count());
      try {
        auto session = std::make_unique<sqlite::Session>(member.source, options);
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

void tell(const SetMember& member, const std::string& note) {
  if (member.options.on_note) member.options.on_note(note);
}

void pin(const std::vector<SetMember>& members, std::vector<std::unique_ptr<ContainerRun>>& runs) {
  std::optional<WriteBarrier> barrier;
  try {
    barrier.emplace(members, std::chrono::steady_clock::now() + members.front().options.busy_timeout);
  } catch (const DeniedError&) {
    tell(members.front(),
         "not all of the databases may be written, so their states are some milliseconds apart");
  } catch (const IntegrityError&) {
    tell(members.front(), "one of the databases is damaged, so their states may be some milliseconds apart");
  }
  for (const auto& run : runs) run->pin();
}

}  // namespace

std::vector<Manifest> create_backup_set(const std::vector<SetMember>& members, const Repository& repository,
                                        const Clock& clock, ProgressSink* progress) {
  require_possible_set(members);
  std::vector<SetMember> due = members;
  for (SetMember& member : due)
    member.options = with_due_full(member.options, repository, member.source, clock);
  std::vector<sqlite::FileFacts> facts;
  std::vector<std::unique_ptr<ContainerRun>> runs;
  SetFacts set{new_id<SetTag>(), {}, {}};
  for (const SetMember& member : due) set.roles.push_back(member.role);
  for (const SetMember& member : due) {
    facts.push_back(sqlite::read_file_facts(member.source));
    require_room(facts.back(), repository);
    runs.push_back(std::make_unique<ContainerRun>(facts.back(), repository, member.options, clock, progress));
    set.role = member.role;
    runs.back()->manifest().set = set;
  }
  pin(due, runs);
  const Timestamp pinned_at = clock.now();
  std::vector<Manifest> manifests;
  std::exception_ptr damage;
  for (std::size_t index = 0; index < runs.size(); ++index) {
    ContainerRun& run = *runs[index];
    run.manifest().created_at = pinned_at;
    try {
      manifests.push_back(with_hints_of_damage(facts[index], repository, [&] {
        run.store();
        return run.publish();
      }));
    } catch (const IntegrityError&) {
      if (!damage) damage = std::current_exception();
    }
  }
  if (damage) std::rethrow_exception(damage);
  return manifests;
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
