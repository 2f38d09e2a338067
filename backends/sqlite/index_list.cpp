// SPDX-License-Identifier: Apache-2.0
#include "sqlite/index_list.h"

#include "nerve/backends/sqlite/schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::sqlite {

std::vector<Index> read_indexes(Session& session, const std::string& table) {
  std::vector<Index> indexes;
  session.each("SELECT name, \"unique\", origin, partial FROM pragma_index_list(" + quote_text(table) +
                   ") ORDER BY name COLLATE BINARY",
               [&](const Row& row) {
                 indexes.push_back({.name = std::string(row.text(0)),
                                    .is_unique = row.integer(1) != 0,
                                    .is_partial = row.integer(3) != 0,
                                    .is_made_by_user = row.text(2) == "c",
                                    .columns = {},
                                    .key = {}});
               });
  for (Index& index : indexes) {
    bool has_expression = false;
    session.each("SELECT cid, \"desc\", coll, name FROM pragma_index_xinfo(" + quote_text(index.name) +
                     ") WHERE key = 1 ORDER BY seqno",
                 [&](const Row& row) {
                   has_expression = has_expression || row.integer(0) < 0;
                   index.key.push_back(fmt::format("{} {} {}", row.integer(0), row.integer(1), row.text(2)));
                   if (!has_expression) index.columns.emplace_back(row.text(3));
                 });
    if (has_expression) index.key.clear();
  }
  return indexes;
}

bool is_covered(const Index& index, const Index& other) {
  if (index.name == other.name || index.key.empty() || index.is_partial || other.is_partial) return false;
  if (index.key.size() > other.key.size()) return false;
  if (!std::equal(index.key.begin(), index.key.end(), other.key.begin())) return false;
  const bool is_same = index.key.size() == other.key.size();
  if (index.is_unique && !(is_same && other.is_unique)) return false;
  // Of two that are the same, the later one by name is told, and never one that keeps a key.
  if (is_same && other.is_made_by_user && index.is_unique == other.is_unique) return index.name > other.name;
  return true;
}

}  // namespace nerve::sqlite
