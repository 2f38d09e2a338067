// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>

namespace nerve {

namespace {

constexpr std::string_view ellipsis = "\xe2\x80\xa6";

struct Range {
  char32_t first;
  char32_t last;
};

/// Code points that move, reorder or hide what a terminal shows.
constexpr std::array<Range, 11> harmful = {{
    {0x0000, 0x001f},  // C0
    {0x007f, 0x009f},  // DEL and C1
    {0x00ad, 0x00ad},  // soft hyphen, not shown by most terminals
    {0x061c, 0x061c},  // Arabic letter mark
    {0x180e, 0x180e},  // Mongolian vowel separator, shown as nothing
    {0x200b, 0x200b},  // zero-width space
    {0x200e, 0x200f},  // left-to-right and right-to-left mark
    {0x2028, 0x202e},  // line and paragraph separator, bidirectional embeddings and overrides
    {0x2060,
     0x206f},  // word joiner, invisible operators, bidirectional isolates, deprecated format characters
    {0xfeff, 0xfeff},    // byte order mark
    {0xe0000, 0xe007f},  // tag characters, a second alphabet that nothing shows
}};

bool is_harmful(char32_t point) noexcept {
  return std::any_of(harmful.begin(), harmful.end(),
                     [point](const Range& range) { return point >= range.first && point <= range.last; });
}

std::string escape_of(char32_t point) {
  switch (point) {
    case U'\n':
      return "\\n";
    case U'\r':
      return "\\r";
    case U'\t':
      return "\\t";
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(point);
  if (number < 0x80) return fmt::format("\\x{:02x}", number);
  return number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

/// Judges widths by Unicode, whatever locale the process runs in: while it lives, once the C library was
/// asked.
class Widths {
 public:
  Widths() = default;
  Widths(const Widths&) = delete;
  Widths& operator=(const Widths&) = delete;
  ~Widths() {
    if (before_ != nullptr) uselocale(before_);
  }

  std::size_t of(char32_t point) {
    // All of it takes one column up to the first combining mark: no need to load what is known of the rest.
    constexpr char32_t first_mark = 0x0300;
    if (point < first_mark || !use_unicode()) return 1;
    const int columns = wcwidth(static_cast<wchar_t>(point));
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
  }

 private:
  bool use_unicode() {
    // Made once and kept: loading it costs far more than the widths of one text.
    static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (before_ == nullptr && unicode != nullptr) before_ = uselocale(unicode);
    return before_ != nullptr;
  }

  locale_t before_ = nullptr;
};

bool is_printable_ascii(char character) noexcept {
  return character >= 0x20 && character < 0x7f;
}

bool is_printable_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char character) { return is_printable_ascii(character); });
}

}  // namespace

std::string sanitize_for_terminal(std::string_view text) {
  if (is_printable_ascii(text)) return std::string(text);
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (is_harmful(point.value)) {
      safe += escape_of(point.value);
    } else {
      safe += text.substr(0, point.size_bytes);
    }
    text.remove_prefix(point.size_bytes);
  }
  return safe;
}

std::size_t display_width(std::string_view text) {
  if (is_printable_ascii(text)) return text.size();
  Widths widths;
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    columns += point.valid ? widths.of(point.value) : 1;
    text.remove_prefix(point.size_bytes);
  }
  return columns;
}

std::string ellipsize(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  Widths widths;
  std::size_t columns = 0;
  std::size_t kept_bytes = 0;
  while (kept_bytes < text.size()) {
    const CodePoint point = first_code_point(text.substr(kept_bytes));
    columns += point.valid ? widths.of(point.value) : 1;
    if (columns > width - 1) break;
    kept_bytes += point.size_bytes;
  }
  return std::string(text.substr(0, kept_bytes)) + std::string(ellipsis);
}

}  // namespace nerve
