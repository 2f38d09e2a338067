// SPDX-License-Identifier: Apache-2.0
#include "postgresql/releases.h"

#include <algorithm>
#include <array>

namespace nerve::postgresql {

namespace {

struct Release {
  int major_version;
  std::string_view end_of_life;
};

constexpr std::array releases = {
    Release{10, "2022-11-10T00:00:00Z"}, Release{11, "2023-11-09T00:00:00Z"},
    Release{12, "2024-11-21T00:00:00Z"}, Release{13, "2025-11-13T00:00:00Z"},
    Release{14, "2026-11-12T00:00:00Z"}, Release{15, "2027-11-11T00:00:00Z"},
    Release{16, "2028-11-09T00:00:00Z"}, Release{17, "2029-11-08T00:00:00Z"},
    Release{18, "2030-11-14T00:00:00Z"},
};

struct Fault {
  int first_version;
  int fixed_version;
  std::string_view effect;
};

/// From the release notes.
constexpr std::array faults = {
    Fault{140'000, 140'004,
          "before 14.4 CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY can leave rows out of an index: "
          "update, then rebuild the indexes that were made so (pg_amcheck --heapallindexed finds them)"},
};

}  // namespace

std::optional<Timestamp> end_of_life(int major_version) {
  const auto found = std::ranges::find(releases, major_version, &Release::major_version);
  if (found == releases.end()) return std::nullopt;
  return Timestamp::parse(found->end_of_life);
}

std::string_view known_fault(int version_number) {
  const auto found = std::ranges::find_if(faults, [&](const Fault& fault) {
    return version_number >= fault.first_version && version_number < fault.fixed_version;
  });
  return found == faults.end() ? std::string_view() : found->effect;
}

}  // namespace nerve::postgresql
