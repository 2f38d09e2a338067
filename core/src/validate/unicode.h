// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The Unicode properties that decide what a text may hold.
namespace nerve::validate {

/// General category Cc: U+0000–U+001F and U+007F–U+009F.
constexpr bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/// Property Bidi_Control: the marks, embeddings, overrides and isolates that reorder the text around them.
constexpr bool is_bidi_control(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace nerve::validate
