// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nerve {

/// The ill-formed bytes and code points that a text may hold, met one at a time from its beginning.
struct CodePoint {
  char32_t value = 0;
  std::size_t size_bytes = 0;  ///< 1 where it is not valid
  bool valid = false;          ///< false: the byte at this place begins no well-formed UTF-8 sequence
};

/// The code point at the beginning of `text`, which is not empty.
CodePoint first_code_point(std::string_view text) noexcept;

/// Whether `text` is well-formed UTF-8 (Unicode 15 table 3-7: no overlong forms, no surrogates, nothing above
/// U+10FFFF).
bool is_valid_utf8(std::string_view text) noexcept;

/// `text` made harmless for a terminal: whatever could move the cursor, change colours, reorder or hide text
/// is shown as an escape.
///
/// These are control characters (C0 with newline and tab, DEL, C1), bidirectional controls, line and
/// paragraph separators, byte order marks, zero-width spaces, tag characters, other invisible format
/// characters and bytes that are not UTF-8:
/// `\n`, `\t`, `\r`, `\x1b`, `\u202e`,
/// `\U000e0041`. Backslashes stay as they are: the result is for reading, not for reading back. The result is
/// valid UTF-8.
std::string sanitize_for_terminal(std::string_view text);

/// Columns that sanitised text takes on a terminal: 2 for East Asian wide and emoji, 0 for combining marks,
/// else 1, as the C library knows them (wcwidth in C.UTF-8). Where that locale is missing, every code point
/// counts 1.
std::size_t display_width(std::string_view text);

/// `text` where it fits into `width` columns, else its beginning followed by `…`, at most `width` columns
/// wide.
std::string ellipsize(std::string_view text, std::size_t width);

/// The longest beginning of a text in UTF-8 that has at most so many bytes and cuts no character apart.
std::string_view cut_text(std::string_view text, std::size_t size_bytes_max) noexcept;

/// Without the ASCII spaces, tabs and line ends at its beginning and end.
std::string_view trimmed(std::string_view text) noexcept;

/// "0 B", "512 B", "1.5 MiB": binary units, one decimal, rounded to nearest.
std::string format_size(std::uint64_t size_bytes);

/// "1,234,567".
std::string format_count(std::int64_t count);

/// "850 ns", "12 µs", "3.4 ms", "1.5 s", "2 min 5 s", "1 h 3 min", "2 d 4 h"; "1 d" where no hour is left.
std::string format_duration(std::chrono::nanoseconds duration);

/// A span as people write it in an option: "90s", "15m", "12h", "1d", "2w", or "hourly", "daily", "weekly".
/// Absent for anything else, for zero, and for more than duration_max.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
inline constexpr std::chrono::seconds duration_max = std::chrono::days(3660);

/// A span as parse_duration() reads it, in the largest unit of which it is a whole number: "1d", "90m".
std::string duration_word(std::chrono::seconds duration);

/// "a, b, c": at most `named_max` of the names, then "and 4 more".
std::string list_names(std::span<const std::string> names, std::size_t named_max = 5);

/// Insertions, deletions, replacements and exchanges of neighbours (optimal string alignment) that turn one
/// into the other, in bytes.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate that `word` most probably meant: the nearest one, at most a third of its letters away (at
/// least 1); nothing where none is so near. Of equals, the first.
std::optional<std::string> closest_match(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace nerve
