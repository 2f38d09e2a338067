// SPDX-License-Identifier: Apache-2.0
#include "sqlite/known_bugs.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace nerve::sqlite {

namespace {

constexpr int minor_span = 1'000;  // 3.44.6 is 3044006

/// From https://www.sqlite.org/changes.html and https://www.sqlite.org/howtocorrupt.html §8, from 3.37.0 on:
/// NERVE reads schemas by statements that older libraries do not know.
constexpr std::array known_bugs{
    KnownBug{.name = "savepoint rollback",
             .first_version = 3'035'000,
             .fixed_version = 3'037'002,
             .severity = Severity::high,
             .effect = "rolling back a SAVEPOINT with temp_store=MEMORY can damage the file",
             .remedy = "leave temp_store at its default"},
    KnownBug{.name = "text to number",
             .first_version = 3'047'000,
             .fixed_version = 3'047'002,
             .severity = Severity::high,
             .effect = "numbers written as text that begin with 1844674407370955 can be stored wrong on x86",
             .remedy = "bind numbers as numbers"},
    KnownBug{
        .name = "WAL reset",
        .first_version = 3'007'000,
        .fixed_version = 3'051'003,
        .backports = {3'044'006, 3'050'007},
        .severity = Severity::low,
        .effect = "a commit that resets the WAL between two checkpoints can, very rarely, damage the file",
        .remedy = "let one process checkpoint, with synchronous=FULL"},
    KnownBug{.name = "upsert",
             .first_version = 3'035'000,
             .fixed_version = 3'045'002,
             .severity = Severity::low,
             .effect = "an unusual UPSERT can leave an index that lacks rows",
             .remedy = "find it with 'nerve-db health --deep', mend it with REINDEX"},
    KnownBug{
        .name = "page cache",
        .first_version = 3'007'010,
        .fixed_version = 3'039'004,
        .severity = Severity::low,
        .effect = "a page cache of the program's own can, rarely, let a change of a b-tree damage the file",
        .remedy = "leave the page cache to SQLite"},
};

bool has_backport(const KnownBug& bug, int version_number) {
  return std::ranges::any_of(bug.backports, [&](int backport) {
    return backport / minor_span == version_number / minor_span && version_number >= backport;
  });
}

}  // namespace

std::vector<KnownBug> find_known_bugs(int version_number) {
  std::vector<KnownBug> found;
  std::ranges::copy_if(known_bugs, std::back_inserter(found), [&](const KnownBug& bug) {
    return version_number >= bug.first_version && version_number < bug.fixed_version &&
           !has_backport(bug, version_number);
  });
  std::ranges::stable_sort(found, std::greater<>(), &KnownBug::severity);
  return found;
}

}  // namespace nerve::sqlite
