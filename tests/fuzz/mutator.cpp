// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutator.h"

#include <algorithm>
#include <array>

namespace nerve::fuzz {
namespace {

constexpr std::size_t input_size_bytes_max = 4096;

using namespace std::string_view_literals;

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
    "\u202E",
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

}  // namespace

std::string_view Mutator::piece_of(std::string_view text) {
  const std::size_t start = below(text.size() + 1);
  return text.substr(start, below(text.size() - start + 1));
}

void Mutator::change(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  switch (below(7)) {
    case 0:
      if (!text.empty()) text[at % text.size()] = static_cast<char>(static_cast<unsigned char>(below(256)));
      break;
    case 1:
      if (!text.empty()) text[at % text.size()] ^= static_cast<char>(1 << below(7));
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
