// SPDX-License-Identifier: Apache-2.0
#include "export/sql_order.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

namespace nerve::migrations {

namespace {

constexpr std::size_t table_rank = 3;

/// What a kind of object needs of others, where the engine does not tell: indexes and the like need their
/// table.
std::size_t rank_of(ObjectKind kind) {
  return static_cast<std::size_t>(kind);
}

static_assert(static_cast<std::size_t>(ObjectKind::table) == table_rank);

/// The positions of the objects that must come before each.
std::vector<std::set<std::size_t>> predecessors_of(const Catalogue& catalogue) {
  std::map<std::int64_t, std::size_t> positions;
  for (std::size_t i = 0; i < catalogue.objects.size(); ++i) positions.emplace(catalogue.objects[i].id, i);
  std::vector<std::set<std::size_t>> predecessors(catalogue.objects.size());
  for (std::size_t i = 0; i < catalogue.objects.size(); ++i) {
    for (const std::int64_t id : catalogue.objects[i].depends_on) {
      const auto found = positions.find(id);
      if (found != positions.end() && found->second != i) predecessors[i].insert(found->second);
    }
  }
  return predecessors;
}

}  // namespace

std::vector<const Object*> in_creation_order(const Catalogue& catalogue) {
  const std::vector<Object>& objects = catalogue.objects;
  const auto predecessors = predecessors_of(catalogue);
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < objects.size(); ++i) waiting.push_back(i);
  std::ranges::stable_sort(waiting, {}, [&](std::size_t i) { return rank_of(objects[i].kind); });
  std::vector<bool> is_made(objects.size(), false);
  std::vector<const Object*> order;
  while (!waiting.empty()) {
    const auto is_free = [&](std::size_t i) {
      return std::ranges::all_of(predecessors[i], [&](std::size_t before) { return is_made[before]; });
    };
    auto next = std::ranges::find_if(waiting, is_free);
    if (next == waiting.end()) next = waiting.begin();
    is_made[*next] = true;
    order.push_back(&objects[*next]);
    waiting.erase(next);
  }
  return order;
}

}  // namespace nerve::migrations
