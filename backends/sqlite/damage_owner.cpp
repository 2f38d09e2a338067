// SPDX-License-Identifier: Apache-2.0
#include "sqlite/damage_owner.h"

#include "sqlite/dbstat.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace nerve::sqlite {

namespace {

/// The number in "Page 7: …", "On tree page 7 cell 3: …" or "Tree 2 page 7 cell 3: …".
std::optional<std::int64_t> page_in(std::string_view finding) {
  constexpr std::string_view word = "age ";
  for (std::size_t at = finding.find(word); at != std::string_view::npos; at = finding.find(word, at + 1)) {
    std::int64_t page = 0;
    const char* begin = finding.data() + at + word.size();
    const char* end = finding.data() + finding.size();
    if (std::from_chars(begin, end, page).ptr != begin) return page;
  }
  return std::nullopt;
}

/// The name at the end of "row 7 missing from index IX" and its like. A name may hold spaces, and words may
/// follow it in other findings, so it is looked for among the known ones, the longest first.
std::optional<std::string> index_in(std::string_view finding, const std::set<std::string>& indexes) {
  std::optional<std::string> found;
  for (const std::string& index : indexes) {
    if (finding.find(" index " + index) == std::string_view::npos) continue;
    if (!found || index.size() > found->size()) found = index;
  }
  return found;
}

}  // namespace

DamageOwners::DamageOwners(Session& session) : tables_(list_tables(session)) {
  session.each("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'",
               [&](const Row& row) { indexes_[std::string(row.text(0))].insert(std::string(row.text(1))); });
  if (!has_dbstat(session)) return;
  // A page that points back to its parents is walked again and again: each page may be met twice, then it
  // ends.
  const std::int64_t pages_max = 2 * session.integer("SELECT page_count FROM pragma_page_count");
  for (const Table& table : tables_) {
    if (table.has_rows()) read_pages(session, table.name, pages_max);
  }
  for (const auto& [table, indexes] : indexes_) {
    for (const std::string& index : indexes) read_pages(session, index, pages_max);
  }
}

void DamageOwners::read_pages(Session& session, const std::string& owner, std::int64_t pages_max) {
  try {
    each_in_dbstat(session,
                   "SELECT pageno, pagetype FROM dbstat WHERE name = " + quote_text(owner) + " LIMIT " +
                       std::to_string(pages_max),
                   [&](const Row& row) {
                     pages_.emplace(row.integer(0), owner);
                     if (row.text(1) == "corrupted") undecodable_.insert(owner);
                   });
  } catch (const IntegrityError&) {
    undecodable_.insert(owner);
  }
}

OwnedDamage DamageOwners::attribute(const Table& table, const CheckFindings& findings) const {
  const auto known = indexes_.find(table.name);
  const std::set<std::string> indexes = known == indexes_.end() ? std::set<std::string>{} : known->second;
  OwnedDamage damage;
  std::set<std::string> with_wrong_entries;
  for (const std::string& finding : findings.findings) {
    const auto page = page_in(finding);
    const auto index = index_in(finding, indexes);
    const auto owner = page ? pages_.find(*page) : pages_.end();
    if (owner != pages_.end() && indexes.contains(owner->second)) {
      damage.indexes.insert(owner->second);
    } else if (!page && index) {
      with_wrong_entries.insert(*index);
    } else {
      damage.is_table_damaged = true;
    }
  }
  if (findings.gave_up && !damage.is_table_damaged && damage.indexes.empty()) {
    std::ranges::set_intersection(indexes, undecodable_, std::inserter(damage.indexes, damage.indexes.end()));
    damage.is_table_damaged = undecodable_.contains(table.name) || damage.indexes.empty();
  }
  // Where rows of the table are lost, its indexes differ from it without being damaged themselves.
  if (!damage.is_table_damaged) damage.indexes.merge(with_wrong_entries);
  return damage;
}

bool DamageOwners::belongs_to_nothing(std::string_view finding) const {
  constexpr std::array<std::string_view, 4> beginnings = {"Freelist", "Main freelist",
                                                          "Outstanding page count", "max rootpage"};
  if (const auto page = page_in(finding)) return !pages_.contains(*page);
  return std::ranges::any_of(beginnings,
                             [&](std::string_view beginning) { return finding.starts_with(beginning); });
}

}  // namespace nerve::sqlite
