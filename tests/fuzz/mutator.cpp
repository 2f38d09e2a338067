// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutator.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace nerve::fuzz {
namespace {

constexpr std::size_t input_size_bytes_max = 4096;

using namespace std::string_view_literals;

// U+202E, which no literal may hold: an editor would show the line in another order.
constexpr std::array right_to_left_override = {static_cast<char>(0xE2), static_cast<char>(0x80),
                                               static_cast<char>(0xAE)};

// Pieces that single random bytes seldom make: separators, limits of numbers, and UTF-8 at its edges.
constexpr auto pieces = std::to_array<std::string_view>({
    "\0"sv,
    "\r\n",
    ".",
    "..",
    "-",
    "--",
    "xn--",
    ":",
    "::",
    "@",
    "\"",
    "\\",
    "[",
    "]",
    "[IPv6:",
    "/",
    "%",
    "<",
    "</",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "='",
    "{",
    "}",
    "null",
    "0",
    "00",
    "255",
    "256",
    "65536",
    "-1",
    "1e999",
    "ffff",
    "0x7f",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "ü",
    "\u0301",
    "\u3002",
    "\u200D",
    std::string_view(right_to_left_override.data(), right_to_left_override.size()),
    "\u2028",
    "\uFEFF",
    "\U0001F469",
    "\xC0\x80",
    "\xED\xA0\x80",
    "\xF4\x90\x80\x80",
    "\xFF",
    "\u0627",
    "\u05D0",
    "ß",
});

// Numbers at which lengths, counts and offsets overflow or end.
constexpr auto edges = std::to_array<std::uint64_t>({
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0xFFFF,
    0x1'0000,
    0x4'0000,
    0x7FFF'FFFF,
    0x8000'0000,
    0xFFFF'FFFE,
    0xFFFF'FFFF,
    0x1'0000'0000,
    0x7FFF'FFFF'FFFF'FFFF,
    0x8000'0000'0000'0000,
    0xFFFF'FFFF'FFFF'FFFF,
});

}  // namespace

/// Puts a number in the place of what stands there, little-endian and in one to eight bytes.
void Mutator::put_number(std::string& text, std::size_t at) {
  std::uint64_t number = edges[below(edges.size())] + (below(3) - 1);
  for (std::size_t size = std::size_t{1} << below(4); size > 0 && at < text.size();
       --size, ++at, number >>= 8U) {
    text[at] = static_cast<char>(static_cast<unsigned char>(number & 0xFFU));
  }
}

std::string_view Mutator::piece_of(std::string_view text) {
  const std::size_t start = below(text.size() + 1);
  return text.substr(start, below(text.size() - start + 1));
}

void Mutator::change(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  switch (below(8)) {
    case 0:
      if (!text.empty()) text[at % text.size()] = static_cast<char>(static_cast<unsigned char>(below(256)));
      break;
    case 1:
      if (!text.empty()) {
        char& octet = text[at % text.size()];
        octet = static_cast<char>(static_cast<unsigned char>(octet) ^ (1U << below(7)));
      }
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(static_cast<unsigned char>(below(256))));
      break;
    case 3:
      text.erase(at, 1 + below(8));
      break;
    case 4:
      text.insert(at, pieces[below(pieces.size())]);
      break;
    case 5:
      text.insert(at, std::string(piece_of(text)));
      break;
    case 6:
      put_number(text, at);
      break;
    default:
      text.replace(at, below(text.size() - at + 1), piece_of(corpus_[below(corpus_.size())]));
  }
}

std::string Mutator::next() {
  std::string text = corpus_[below(corpus_.size())];
  for (std::size_t changes = 1 + below(8); changes > 0; --changes) change(text);
  text.resize(std::min(text.size(), input_size_bytes_max));
  return text;
}

}  // namespace nerve::fuzz
