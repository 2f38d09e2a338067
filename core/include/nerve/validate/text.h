// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace nerve::validate {

/// What free text may hold. The defaults suit a one-line field such as a name or a title.
struct TextRules {
  std::size_t length_max =
      std::numeric_limits<std::size_t>::max();  ///< in code points; what is past it is cut off
  bool allow_newlines = false;                  ///< keep line ends, as "\n"; otherwise each becomes a space
  bool strip_html = false;       ///< remove tags, comments and the content of scripts and styles
  bool trim = true;              ///< remove white space and newlines at both ends
  bool normalize_spaces = true;  ///< make each run of Unicode spaces one ASCII space
};

/// Text made safe to store and to show in one line or paragraph of plain text.
///
/// - What is not well-formed UTF-8, and text with a NUL (which PostgreSQL cannot store), is refused:
/// ValidationError
///   names the byte offset, nothing is repaired.
/// - Control characters (category Cc) and the bidirectional control characters are removed; tabs become
/// spaces; CR LF,
///   CR, NEL, U+2028 and U+2029 are line ends like LF.
/// - `strip_html` follows the tokenizer of the HTML standard. What is unterminated is dropped up to the end,
/// and no
///   removal leaves a new tag behind. Character references such as "&lt;" stay as they are.
/// - A cut falls between code points, and not in front of a combining mark of the common blocks, a variation
/// selector,
///   an emoji modifier or a zero-width joiner, nor behind a joiner. Other clusters (flags, Hangul jamo, the
///   vowel signs of Indic scripts) may be cut apart. A cluster that alone is longer than `length_max` is cut
///   where it must be.
/// - The result is a fixed point: sanitising it again by the same rules changes nothing.
///
/// Stripping markup is no defence against cross-site scripting: text is still plain text, and whatever puts
/// it into HTML must escape it there, with escape_html. Not normalised: Unicode forms (NFC) and look-alike
/// characters.
std::string sanitize_text(std::string_view text, const TextRules& rules = {});

/// `text` with & < > " and ' as character references: safe as HTML element content and inside a quoted
/// attribute, and nowhere else (not in scripts, styles, URLs or unquoted attributes). Use it when writing
/// HTML, never before storing: stored escapes are shown twice-escaped, break search and length limits, and
/// are wrong for every other output.
std::string escape_html(std::string_view text);

}  // namespace nerve::validate
