// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace nerve::convert {

/// What the values of one column are, all of them looked at. Counts are of rows.
struct ColumnProfile {
  std::int64_t nulls = 0;
  std::int64_t integers = 0;
  std::int64_t reals = 0;
  std::int64_t texts = 0;
  std::int64_t blobs = 0;

  // Integers.
  std::int64_t integer_min = std::numeric_limits<std::int64_t>::max();  ///< only where there are integers
  std::int64_t integer_max = std::numeric_limits<std::int64_t>::min();
  std::int64_t integers_beyond_double = 0;    ///< that no double holds
  std::int64_t integers_as_seconds = 0;       ///< seconds since 1970 that lie in the years 1973 to 2286
  std::int64_t integers_as_milliseconds = 0;  ///< milliseconds since 1970 in the same years

  // Reals.
  std::int64_t reals_infinite = 0;
  std::int64_t reals_negative_zero = 0;
  std::int64_t reals_as_julian_days =
      0;  ///< of a moment in the same years, to the millisecond and no further

  // Integers and reals as decimal numbers.
  int integer_digits_max = 0;   ///< before the point
  int fraction_digits_max = 0;  ///< behind it, of the shortest text that gives the same double

  // Texts.
  std::int64_t texts_with_nul = 0;
  std::int64_t texts_not_utf8 = 0;
  std::int64_t text_characters_max = 0;
  std::int64_t text_bytes_max = 0;
  std::array<std::int64_t, 9> texts_of_iso_form{};  ///< by IsoForm; counted where time is looked for
  std::int64_t texts_with_fraction = 0;             ///< of those, the ones with a fraction of a second
  std::int64_t texts_as_json = 0;                   ///< counted where JSON is looked for
  std::int64_t texts_as_uuid = 0;  ///< in lower case with hyphens; counted where they are looked for

  std::int64_t held_misfits = 0;  ///< values that do not fit the type that a rule holds the column to

  std::int64_t blob_bytes_max = 0;
  std::int64_t bytes = 0;  ///< of all texts and blobs

  std::int64_t values() const noexcept { return integers + reals + texts + blobs; }
  std::int64_t texts_unstorable() const noexcept { return texts_with_nul + texts_not_utf8; }
};

/// What is looked for in the values of a column beyond what is cheap to count.
struct ColumnInterest {
  bool time = false;
  bool json = false;
  bool uuid = false;
  bool decimal = false;
};

struct TableProfile {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;              ///< about what COPY will send
  std::vector<ColumnProfile> columns;  ///< in the order in which they were asked for
  /// The rowids with which ranges of about equal size begin, ascending; one at least where there are rows and
  /// rowids.
  std::vector<std::int64_t> range_starts;
  std::uint64_t digest_low = 0;  ///< of all values, so that a change of the source is noticed
  std::uint64_t digest_high = 0;
};

}  // namespace nerve::convert
