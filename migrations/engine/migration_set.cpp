// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/migration_set.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace nerve::migrations {

namespace {

std::size_t rank_of(std::string_view module, std::span<const ModuleOrder> modules) {
  const auto* found = std::find_if(modules.data(), modules.data() + modules.size(),
                                   [&](const ModuleOrder& order) { return order.name == module; });
  return static_cast<std::size_t>(found - modules.data());
}

/// "a@0001 → b@0002 → a@0001": one cycle among the migrations that could not be placed.
std::string describe_cycle(const std::vector<Migration>& migrations,
                           const std::vector<std::vector<std::size_t>>& predecessors,
                           const std::vector<bool>& placed) {
  std::vector<std::size_t> way;
  std::size_t at = static_cast<std::size_t>(std::find(placed.begin(), placed.end(), false) - placed.begin());
  while (std::find(way.begin(), way.end(), at) == way.end()) {
    way.push_back(at);
    // Whatever could not be placed waits for something that could not be placed either.
    at = *std::find_if(predecessors[at].begin(), predecessors[at].end(),
                       [&](std::size_t p) { return !placed[p]; });
  }
  std::string text;
  for (auto place = std::find(way.begin(), way.end(), at); place != way.end(); ++place) {
    text += migrations[*place].reference.to_string() + " requires ";
  }
  return text + migrations[at].reference.to_string();
}

}  // namespace

MigrationSet::MigrationSet(std::vector<Migration> migrations, std::span<const ModuleOrder> modules)
    : migrations_(std::move(migrations)) {
  const auto goes_before = [&](const Migration& left, const Migration& right) {
    const auto key = [&](const Migration& m) {
      return std::tuple<std::size_t, const Reference&, const std::string&>(
          rank_of(m.reference.module, modules), m.reference, m.file);
    };
    return key(left) < key(right);
  };
  // The files of one folder come in this order already, and migrations are dear to move.
  if (!std::ranges::is_sorted(migrations_, goes_before)) std::ranges::sort(migrations_, goes_before);
  const auto same = std::ranges::adjacent_find(
      migrations_,
      [](const Migration& left, const Migration& right) { return left.reference == right.reference; });
  if (same != migrations_.end()) {
    throw ValidationError(fmt::format("{} and {} have one number", same->file, std::next(same)->file),
                          "Give the one that is not published yet the next free number.");
  }
  sort(modules);
}

std::vector<std::size_t> MigrationSet::predecessors(std::size_t index,
                                                    std::span<const ModuleOrder> modules) const {
  std::vector<std::size_t> found;
  const Migration& migration = migrations_[index];
  const auto add_module = [&](std::string_view module) {
    for (std::size_t i = 0; i < migrations_.size(); ++i) {
      if (migrations_[i].reference.module == module) found.push_back(i);
    }
  };
  if (index > 0 && migrations_[index - 1].reference.module == migration.reference.module)
    found.push_back(index - 1);
  const std::size_t rank = rank_of(migration.reference.module, modules);
  if (rank < modules.size()) {
    for (const std::string_view module : modules[rank].depends_on) add_module(module);
  }
  for (const Reference& required : migration.requirements) {
    const auto place = std::ranges::find(migrations_, required, &Migration::reference);
    if (place == migrations_.end()) {
      throw ValidationError(
          fmt::format("{}: requires {}, which is not there", migration.file, required.to_string()),
          "Add that migration's file, or correct the header `requires`.");
    }
    found.push_back(static_cast<std::size_t>(place - migrations_.begin()));
  }
  return found;
}

void MigrationSet::sort(std::span<const ModuleOrder> modules) {
  const std::size_t count = migrations_.size();
  std::vector<std::vector<std::size_t>> before(count);
  for (std::size_t i = 0; i < count; ++i) before[i] = predecessors(i, modules);

  std::vector<std::size_t> order;
  std::vector<bool> placed(count, false);
  std::size_t first = 0;
  while (order.size() < count) {
    while (placed[first]) ++first;
    std::size_t next = first;
    while (next < count &&
           (placed[next] || !std::ranges::all_of(before[next], [&](std::size_t p) { return placed[p]; }))) {
      ++next;
    }
    if (next == count) {
      throw ValidationError(
          "the migrations require each other in a circle: " + describe_cycle(migrations_, before, placed),
          "Take one of these requirements out of its file.");
    }
    placed[next] = true;
    order.push_back(next);
  }

  if (std::ranges::is_sorted(order)) {
    predecessors_ = std::move(before);
    return;
  }
  std::vector<std::size_t> place(count);
  for (std::size_t i = 0; i < count; ++i) place[order[i]] = i;
  std::vector<Migration> sorted;
  sorted.reserve(count);
  for (const std::size_t index : order) {
    sorted.push_back(std::move(migrations_[index]));
    std::ranges::transform(before[index], before[index].begin(), [&](std::size_t p) { return place[p]; });
    predecessors_.push_back(std::move(before[index]));
  }
  migrations_ = std::move(sorted);
}

const Migration* MigrationSet::find(const Reference& reference) const noexcept {
  const auto found = std::ranges::find(migrations_, reference, &Migration::reference);
  return found == migrations_.end() ? nullptr : &*found;
}

const Migration& MigrationSet::require(const Reference& reference) const {
  if (const Migration* migration = find(reference)) return *migration;
  std::string known;
  for (const Migration& migration : migrations_) {
    if (migration.reference.module == reference.module) known = migration.reference.to_string();
  }
  throw NotFoundError(fmt::format("there is no migration {}", reference.to_string()),
                      known.empty() ? "`nerve-db migrate status` lists those that there are."
                                    : fmt::format("The last one of this module is {}.", known));
}

std::string MigrationSet::default_module() const {
  std::string module;
  for (const Migration& migration : migrations_) {
    if (!module.empty() && module != migration.reference.module) return {};
    module = migration.reference.module;
  }
  return module;
}

std::vector<Reference> MigrationSet::closure(const Reference& reference) const {
  const auto target = static_cast<std::size_t>(&require(reference) - migrations_.data());
  std::vector<bool> wanted(migrations_.size(), false);
  wanted[target] = true;
  for (std::size_t i = target + 1; i-- > 0;) {
    if (!wanted[i]) continue;
    for (const std::size_t p : predecessors_[i]) wanted[p] = true;
  }
  std::vector<Reference> references;
  for (std::size_t i = 0; i <= target; ++i) {
    if (wanted[i]) references.push_back(migrations_[i].reference);
  }
  return references;
}

MigrationSet MigrationSet::from_files(std::span<const EmbeddedFile> files,
                                      std::span<const ModuleOrder> modules, Dialects dialects) {
  std::vector<Migration> migrations;
  migrations.reserve(files.size());
  for (const EmbeddedFile& file : files) {
    const std::string path = fmt::format("migrations/{}/{}", file.module, file.name);
    migrations.push_back(parse_migration(file.module, file.name, path, file.content, dialects));
  }
  return {std::move(migrations), modules};
}

}  // namespace nerve::migrations
