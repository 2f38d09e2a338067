// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/schema_state.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace nerve::migrations {

namespace {

Condition condition_of(const Migration& migration, const LedgerEntry* entry, int last_applied) {
  if (entry == nullptr) {
    return migration.reference.number < last_applied ? Condition::out_of_order : Condition::pending;
  }
  if (entry->checksum != migration.checksum) return Condition::changed;
  return entry->state == EntryState::applied ? Condition::applied : Condition::incomplete;
}

}  // namespace

std::string_view to_string(Condition condition) noexcept {
  constexpr std::array<std::string_view, 6> names{"pending", "applied", "incomplete",
                                                  "changed", "missing", "out of order"};
  return names[static_cast<std::size_t>(condition)];
}

std::size_t SchemaState::count(Condition condition) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(migrations, condition, &MigrationState::condition));
}

const MigrationState* SchemaState::find(const Reference& reference) const noexcept {
  const auto found = std::ranges::find(migrations, reference, &MigrationState::reference);
  return found == migrations.end() ? nullptr : &*found;
}

void SchemaState::require_sound() const {
  if (ledger == Ledger::Presence::foreign) {
    throw ConflictError(fmt::format("{} has a table of the ledger's name that another tool made", database),
                        "Give the ledger another name: --ledger nerve_migrations.");
  }
  for (const MigrationState& state : migrations) {
    const std::string title = state.reference.to_string();
    if (state.condition == Condition::changed) {
      throw IntegrityError(
          fmt::format("{}: the file was changed after {} was applied to {}", state.migration->file, title,
                      database),
          fmt::format("Put the published file back and write a new migration. If the change means nothing "
                      "(a comment), accept it: nerve-db migrate repair --accept {}.",
                      title));
    }
    if (state.condition == Condition::missing) {
      throw ConflictError(
          fmt::format("{} ({}) is applied to {}, but there is no such migration", title, state.name,
                      database),
          "The database is newer than these migrations: use the version of the program, or the "
          "folder, that it was migrated with.");
    }
    if (state.condition == Condition::out_of_order) {
      throw ConflictError(fmt::format("{}: {} is not applied, but a later one of its module is",
                                      state.migration->file, title),
                          "Give it the next free number: a published order does not change.");
    }
  }
}

SchemaState read_schema_state(db::Transaction& transaction, const Ledger& ledger, const MigrationSet& set,
                              std::string database) {
  SchemaState state{std::move(database), ledger.presence(transaction), {}};
  std::map<Reference, LedgerEntry> entries;
  std::map<std::string, int> last_applied;
  if (state.ledger == Ledger::Presence::present) {
    for (LedgerEntry& entry : ledger.entries(transaction)) {
      int& last = last_applied[entry.reference.module];
      last = std::max(last, entry.reference.number);
      entries.emplace(entry.reference, std::move(entry));
    }
  }
  state.migrations.reserve(set.in_order().size());
  for (const Migration& migration : set.in_order()) {
    const auto found = entries.find(migration.reference);
    const LedgerEntry* entry = found == entries.end() ? nullptr : &found->second;
    MigrationState one{migration.reference,
                       migration.name,
                       condition_of(migration, entry, last_applied[migration.reference.module]),
                       &migration,
                       {}};
    if (entry != nullptr) one.entry = std::move(entries.extract(found).mapped());
    state.migrations.push_back(std::move(one));
  }
  for (auto& [reference, entry] : entries) {
    state.migrations.push_back({reference, entry.name, Condition::missing, nullptr, std::move(entry)});
  }
  return state;
}

}  // namespace nerve::migrations
