// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/text.h"

#include "html.h"
#include "unicode.h"
#include "violation.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nerve::validate {
namespace {

constexpr char32_t zero_width_joiner = 0x200D;

bool is_space(char32_t c) {
  return c == ' ' || c == '\t' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool is_line_end(char32_t c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// Whether `c` changes the character in front of it and must not be cut off from it.
bool extends_cluster(char32_t c) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  constexpr auto ranges = std::to_array<Range>({
      {0x0300, 0x036F},    // combining diacritical marks
      {0x0483, 0x0489},    // Cyrillic
      {0x0591, 0x05BD},    // Hebrew points
      {0x064B, 0x065F},    // Arabic marks
      {0x0E34, 0x0E3A},    // Thai vowels
      {0x0E47, 0x0E4E},    // Thai tone marks
      {0x1AB0, 0x1AFF},    // combining diacritical marks extended
      {0x1DC0, 0x1DFF},    // combining diacritical marks supplement
      {0x200D, 0x200D},    // zero-width joiner
      {0x20D0, 0x20FF},    // combining marks for symbols
      {0x3099, 0x309A},    // kana voicing marks
      {0xFE00, 0xFE0F},    // variation selectors
      {0xFE20, 0xFE2F},    // combining half marks
      {0x1F3FB, 0x1F3FF},  // emoji modifiers
      {0xE0100, 0xE01EF},  // variation selectors supplement
  });
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](Range range) { return c >= range.first && c <= range.last; });
}

[[noreturn]] void refuse(std::string_view rule, std::string_view message) {
  throw_violation(violation("text", rule, message), "Send text as UTF-8 without NUL characters.");
}

std::u32string decode(std::string_view text) {
  std::u32string decoded;
  decoded.reserve(text.size());
  for (std::size_t offset = 0; offset < text.size();) {
    const CodePoint c = first_code_point(text.substr(offset));
    if (!c.valid) refuse("utf8", fmt::format("is not valid UTF-8 at byte {}", offset));
    if (c.value == 0) refuse("nul", fmt::format("has a NUL character at byte {}", offset));
    decoded += c.value;
    offset += c.size_bytes;
  }
  return decoded;
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  const auto put_last = [&](unsigned octets) {
    while (octets-- > 0) put(0x80 | ((c >> (6 * octets)) & 0x3F));
  };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put_last(1);
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put_last(2);
  } else {
    put(0xF0 | (c >> 18));
    put_last(3);
  }
}

std::string encode(std::u32string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char32_t c : text) append_utf8(encoded, c);
  return encoded;
}

/// Brings line ends and tabs to one form and removes the other control characters.
std::u32string without_controls(std::u32string_view text, bool allow_newlines) {
  std::u32string kept;
  kept.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (is_line_end(c)) {
      if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      kept += allow_newlines ? U'\n' : U' ';
    } else if (c == '\t') {
      kept += U' ';
    } else if (!is_control(c) && !is_bidi_control(c)) {
      kept += c;
    }
  }
  return kept;
}

std::u32string with_single_spaces(std::u32string_view text) {
  std::u32string kept;
  kept.reserve(text.size());
  for (const char32_t c : text) {
    if (!is_space(c)) {
      kept += c;
    } else if (!kept.ends_with(U' ')) {
      kept += U' ';
    }
  }
  return kept;
}

std::u32string_view trimmed(std::u32string_view text) {
  const auto is_blank = [](char32_t c) { return is_space(c) || is_line_end(c); };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::u32string_view cut(std::u32string_view text, std::size_t length_max) {
  if (text.size() <= length_max) return text;
  std::size_t length = length_max;
  const auto is_inside_cluster = [text](std::size_t at) {
    return extends_cluster(text[at]) || text[at - 1] == zero_width_joiner;
  };
  while (length > 0 && is_inside_cluster(length)) --length;
  return text.substr(0, length == 0 ? length_max : length);
}

}  // namespace

std::string sanitize_text(std::string_view text, const TextRules& rules) {
  // Control characters go first: "<\x01script>" must not become a tag after tags were looked for.
  std::u32string clean = without_controls(decode(text), rules.allow_newlines);
  if (rules.strip_html) clean = decode(strip_html(encode(clean)));
  if (rules.normalize_spaces) clean = with_single_spaces(clean);
  std::u32string_view kept = rules.trim ? trimmed(clean) : std::u32string_view(clean);
  kept = cut(kept, rules.length_max);
  return encode(rules.trim ? trimmed(kept) : kept);
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace nerve::validate
