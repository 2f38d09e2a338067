// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nerve::sqlite {

enum class Severity : std::uint8_t {
  low,   ///< rare, or only with settings that are seldom: told, but no reason to warn
  high,  ///< ordinary use can meet it
};

/// A defect of SQLite by which a database can lose or damage data.
struct KnownBug {
  static constexpr std::size_t backports_max = 2;

  std::string_view name;
  int first_version = 0;  ///< the first release that has it, as sqlite3_libversion_number() counts
  int fixed_version = 0;  ///< the first release that does not
  /// Releases of older branches that have the correction: from each to the end of its minor version.
  std::array<int, backports_max> backports{};
  Severity severity = Severity::low;
  std::string_view effect;  ///< what can happen, and when
  std::string_view remedy;  ///< what lessens it where the library cannot be replaced
};

/// The bugs of one release, the severe ones first.
std::vector<KnownBug> find_known_bugs(int version_number);

}  // namespace nerve::sqlite
