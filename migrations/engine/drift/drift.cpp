// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/drift.h"

#include "catalogue/read_catalogue.h"
#include "drift/replay.h"

#include "nerve/core/error.h"
#include "nerve/migrations/schema_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace nerve::migrations {

namespace {

/// A database in one snapshot.
struct Snapshot {
  SchemaState state;
  Catalogue catalogue;
  std::vector<Event> decisions;
  bool was_ever_applied = false;
};

Snapshot read_snapshot(db::Database& database, const MigrationSet& set, const Ledger& ledger) {
  return database.read([&](db::Transaction& transaction) {
    Snapshot snapshot{read_schema_state(transaction, ledger, set, database.name()),
                      read_catalogue(transaction, ledger),
                      {},
                      false};
    if (snapshot.state.ledger != Ledger::Presence::present) return snapshot;
    snapshot.decisions = ledger.decisions(transaction);
    snapshot.was_ever_applied = ledger.was_ever_applied(transaction);
    return snapshot;
  });
}

class Decisions {
 public:
  Decisions(const std::vector<Event>& events, db::Dialect dialect) : dialect_(dialect) {
    for (const Event& event : events) {
      const Event*& latest = by_object_[key_of(event.subject)];
      if (latest == nullptr || latest->number < event.number) latest = &event;
    }
  }

  void apply(Difference& difference, const std::string& table) const {
    if (const Event* event = find(difference.object); event != nullptr) {
      if (event->action == Action::ignore) return accept(difference, Acceptance::ignored, *event);
      if (event->action == Action::adopt && event->checksum == difference.fingerprint) {
        return accept(difference, Acceptance::adopted, *event);
      }
    }
    // Who leaves a table alone leaves alone what hangs on it.
    const Event* event = table.empty() ? nullptr : find("table " + table);
    if (event != nullptr && event->action == Action::ignore) accept(difference, Acceptance::ignored, *event);
  }

 private:
  std::string key_of(const std::string& subject) const {
    return dialect_ == db::Dialect::sqlite ? folded(subject) : subject;
  }
  const Event* find(const std::string& subject) const {
    const auto found = by_object_.find(key_of(subject));
    return found == by_object_.end() ? nullptr : found->second;
  }
  static void accept(Difference& difference, Acceptance acceptance, const Event& event) {
    difference.acceptance = acceptance;
    difference.reason = event.detail;
  }

  db::Dialect dialect_;
  std::map<std::string, const Event*> by_object_;
};

/// The tables of objects, by title, on whichever side they are.
std::map<std::string, std::string> tables_of(const Catalogue& expected, const Catalogue& actual) {
  std::map<std::string, std::string> tables;
  for (const Catalogue* catalogue : {&expected, &actual}) {
    for (const Object& object : catalogue->objects) tables.emplace(object.title(), object.table);
  }
  return tables;
}

/// Throws what makes a replay useless: it would not be what was applied.
void require_replayable(const Snapshot& snapshot) {
  const SchemaState& state = snapshot.state;
  if (state.ledger != Ledger::Presence::foreign && !snapshot.was_ever_applied) {
    throw UnsupportedError(fmt::format("no migration was ever applied to {}", state.database),
                           "Apply them (`nerve-db migrate up`), or declare what is there to be their result "
                           "(`nerve-db migrate baseline`).");
  }
  const bool is_sound = state.ledger == Ledger::Presence::present && state.count(Condition::changed) == 0 &&
                        state.count(Condition::missing) == 0;
  if (!is_sound) state.require_sound();
}

Catalogue replay(db::Database& database, const Snapshot& snapshot, const ScratchSource& scratch) {
  const std::vector<Replay> replays = replays_of(snapshot.state, database.dialect());
  const auto scratch_database = scratch();
  if (database.dialect() == db::Dialect::sqlite) return replay_on_sqlite(*scratch_database, replays);
  return replay_on_postgresql(database, snapshot.catalogue.schema, *scratch_database, replays);
}

}  // namespace

std::string_view to_string(DifferenceKind kind) noexcept {
  constexpr std::array<std::string_view, 3> names{"missing", "unexpected", "different"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Acceptance acceptance) noexcept {
  constexpr std::array<std::string_view, 3> names{"none", "adopted", "ignored"};
  return names[static_cast<std::size_t>(acceptance)];
}

std::size_t DriftReport::open_count() const noexcept {
  return static_cast<std::size_t>(std::ranges::count(differences, Acceptance::none, &Difference::acceptance));
}

const Difference* DriftReport::find(std::string_view object) const noexcept {
  const auto found = std::ranges::find(differences, object, &Difference::object);
  return found == differences.end() ? nullptr : &*found;
}

void DriftReport::require_none(const std::string& database) const {
  if (!is_known()) {
    throw UnsupportedError(
        fmt::format("whether the schema of {} is what its migrations make is not known: {}", database,
                    unknown),
        hint);
  }
  const auto open = std::ranges::find(differences, Acceptance::none, &Difference::acceptance);
  if (open == differences.end()) return;
  const std::size_t more = open_count() - 1;
  throw Error(
      ErrorKind::drift,
      fmt::format("the schema of {} is not what its migrations make: {} is {}{}", database, open->object,
                  to_string(open->kind), more == 0 ? "" : fmt::format(", and {} more", more)),
      "`nerve-db migrate verify` shows each difference; mend it by a migration, or adopt or ignore it.");
}

DriftReport find_drift(db::Database& database, const MigrationSet& set, const Ledger& ledger,
                       const ScratchSource& scratch) {
  const Snapshot snapshot = read_snapshot(database, set, ledger);
  DriftReport report;
  Catalogue expected;
  try {
    require_replayable(snapshot);
    expected = replay(database, snapshot, scratch);
  } catch (const Error& error) {
    // A lost connection or an interruption says nothing of the migrations.
    if (error.kind() == ErrorKind::cancelled || dynamic_cast<const ConnectionError*>(&error) != nullptr)
      throw;
    report.unknown = error.what();
    report.hint = error.hint();
    return report;
  }
  report.differences = compare(expected, snapshot.catalogue);
  const auto tables = tables_of(expected, snapshot.catalogue);
  report.compared = tables.size();
  const Decisions decisions(snapshot.decisions, database.dialect());
  for (Difference& difference : report.differences) {
    decisions.apply(difference, tables.find(difference.object)->second);
  }
  return report;
}

}  // namespace nerve::migrations
