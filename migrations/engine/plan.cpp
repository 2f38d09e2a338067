// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::migrations {

namespace {

Step resume(const MigrationState& state) {
  const Direction direction =
      state.entry->state == EntryState::incomplete_down ? Direction::down : Direction::up;
  return {state.migration, direction, state.entry->statements_done, true};
}

void add_incomplete(const SchemaState& state, std::vector<Step>& steps) {
  for (const MigrationState& migration : state.migrations) {
    if (migration.condition == Condition::incomplete) steps.push_back(resume(migration));
  }
}

/// A requirement that is neither applied nor before it in the plan cannot be, since the set is in order; but
/// one that is being taken back must be applied again first.
bool is_taken_back(const std::vector<Step>& steps, const Migration* migration) {
  return std::ranges::any_of(steps, [&](const Step& step) {
    return step.migration == migration && step.direction == Direction::down;
  });
}

}  // namespace

std::vector<Step> plan_up(const SchemaState& state, const MigrationSet& set,
                          const std::optional<Reference>& target) {
  state.require_sound();
  std::vector<Step> steps;
  add_incomplete(state, steps);
  std::vector<Reference> wanted;
  if (target) wanted = set.closure(*target);
  for (const MigrationState& migration : state.migrations) {
    const bool is_pending =
        migration.condition == Condition::pending || is_taken_back(steps, migration.migration);
    const bool is_wanted = !target || std::ranges::find(wanted, migration.reference) != wanted.end();
    if (is_pending && is_wanted) steps.push_back({migration.migration, Direction::up});
  }
  return steps;
}

std::vector<Step> plan_down(const SchemaState& state, std::size_t count,
                            const std::optional<Reference>& target) {
  state.require_sound();
  std::vector<Step> steps;
  add_incomplete(state, steps);
  std::vector<const MigrationState*> applied;
  for (const MigrationState& migration : state.migrations) {
    const bool finishes_up =
        migration.condition == Condition::incomplete && migration.entry->state == EntryState::incomplete_up;
    if (migration.condition == Condition::applied || finishes_up) applied.push_back(&migration);
  }
  std::ranges::sort(applied, std::greater(),
                    [](const MigrationState* m) { return m->entry->application_number; });
  const auto is_target = [&](const MigrationState* m) { return target && m->reference == *target; };
  if (target && std::ranges::none_of(applied, is_target)) {
    throw NotFoundError(fmt::format("{} is not applied to {}", target->to_string(), state.database),
                        "`nerve-db migrate status` lists those that are.");
  }
  for (const MigrationState* migration : applied) {
    if (count-- == 0 || is_target(migration)) break;
    if (!migration->migration->irreversible.empty()) {
      throw DeniedError(
          fmt::format("{} has no way back: {}", migration->reference.to_string(),
                      migration->migration->irreversible),
          "Restore a backup from before it, or write a new migration that undoes what can be undone.");
    }
    steps.push_back({migration->migration, Direction::down});
  }
  return steps;
}

}  // namespace nerve::migrations
