// SPDX-License-Identifier: Apache-2.0
#include "recovery_text.h"

#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t checksum_bytes = 3;
constexpr std::size_t octets_count = recovery_key_bytes + checksum_bytes;
constexpr std::size_t bits_of_letter = 5;
constexpr std::size_t letters_count = octets_count * 8 / bits_of_letter;
constexpr std::size_t letters_of_group = 4;
/// Eight letters are five octets.
constexpr std::size_t letters_of_block = 8;
constexpr std::size_t octets_of_block = 5;
static_assert(octets_count % octets_of_block == 0, "the text ends without padding");

ValidationError typing_error(const std::string& message) {
  return ValidationError(message,
                         "Compare it with the one that was printed: 14 groups of four, of the letters A to Z "
                         "and the digits 2 to 7.");
}

bool is_separator(char character) {
  return character == '-' || character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

std::optional<std::size_t> place_in_alphabet(char character) {
  const bool is_small = character >= 'a' && character <= 'z';
  const std::size_t place = alphabet.find(is_small ? static_cast<char>(character - 'a' + 'A') : character);
  if (place == std::string_view::npos) return std::nullopt;
  return place;
}

/// The place of each letter in the alphabet.
Secret letters_of(const Secret& text) {
  Secret letters(letters_count);
  std::size_t count = 0;
  for (const char character : text.reveal_text()) {
    if (is_separator(character)) continue;
    const auto place = place_in_alphabet(character);
    if (!place) {
      throw typing_error(
          fmt::format("the recovery key has a typing error in group {}: there is a character that no "
                      "recovery key has",
                      count / letters_of_group + 1));
    }
    if (count < letters_count) letters.writable()[count] = static_cast<std::byte>(*place);
    ++count;
  }
  if (count != letters_count) {
    throw typing_error(
        fmt::format("the recovery key has {} letters and digits instead of {}", count, letters_count));
  }
  return letters;
}

void decode(std::span<const std::byte> letters, std::span<std::byte> octets) {
  for (std::size_t block = 0; block < octets_count / octets_of_block; ++block) {
    std::uint64_t bits = 0;
    for (const std::byte letter : letters.subspan(block * letters_of_block, letters_of_block)) {
      bits = bits << bits_of_letter | std::to_integer<std::uint64_t>(letter);
    }
    for (std::size_t index = octets_of_block; index-- > 0; bits >>= 8U) {
      octets[block * octets_of_block + index] = static_cast<std::byte>(bits & 0xFFU);
    }
  }
}

void encode(std::span<const std::byte> octets, std::span<std::byte> letters) {
  for (std::size_t block = 0; block < octets_count / octets_of_block; ++block) {
    std::uint64_t bits = 0;
    for (const std::byte octet : octets.subspan(block * octets_of_block, octets_of_block)) {
      bits = bits << 8U | std::to_integer<std::uint64_t>(octet);
    }
    for (std::size_t index = letters_of_block; index-- > 0; bits >>= bits_of_letter) {
      letters[block * letters_of_block + index] = static_cast<std::byte>(bits & 31U);
    }
  }
}

bool is_whole(std::span<const std::byte> octets) {
  const crypto::Sha256Digest digest = crypto::sha256(octets.first(recovery_key_bytes));
  return std::ranges::equal(std::span(digest).first(checksum_bytes), octets.last(checksum_bytes));
}

/// The groups in which one other letter, or two neighbours in the other order, would make the checksum fit.
/// There are 1,791 such texts, so one of them fits by chance in one of 9,000 cases.
std::set<std::size_t> groups_to_correct(Secret& letters) {
  Secret octets(octets_count);
  std::set<std::size_t> groups;
  const auto note_if_whole = [&](std::size_t place) {
    decode(letters.reveal(), octets.writable());
    if (is_whole(octets.reveal())) groups.insert(place / letters_of_group + 1);
  };
  const std::span<std::byte> all = letters.writable();
  for (std::size_t place = 0; place < letters_count; ++place) {
    const std::byte typed = all[place];
    for (std::size_t other = 0; other < alphabet.size(); ++other) {
      all[place] = static_cast<std::byte>(other);
      note_if_whole(place);
    }
    all[place] = typed;
    if (place == 0) continue;
    std::swap(all[place - 1], all[place]);
    note_if_whole(place);
    std::swap(all[place - 1], all[place]);
  }
  return groups;
}

}  // namespace

Secret recovery_text_of(const Secret& key) {
  Secret octets(octets_count);
  const crypto::Sha256Digest digest = crypto::sha256(key.reveal());
  std::ranges::copy(key.reveal(), octets.writable().begin());
  std::ranges::copy(std::span(digest).first(checksum_bytes), octets.writable().last(checksum_bytes).begin());
  Secret letters(letters_count);
  encode(octets.reveal(), letters.writable());
  Secret text(letters_count + letters_count / letters_of_group - 1);
  std::size_t place = 0;
  for (std::size_t index = 0; index < letters_count; ++index) {
    if (index > 0 && index % letters_of_group == 0) text.writable()[place++] = std::byte{'-'};
    const auto letter = std::to_integer<std::size_t>(letters.reveal()[index]);
    text.writable()[place++] = static_cast<std::byte>(alphabet[letter]);
  }
  return text;
}

Secret recovery_key_from(const Secret& text) {
  Secret letters = letters_of(text);
  Secret octets(octets_count);
  decode(letters.reveal(), octets.writable());
  if (is_whole(octets.reveal())) return Secret::copy_of(octets.reveal().first(recovery_key_bytes));
  const std::set<std::size_t> groups = groups_to_correct(letters);
  if (groups.size() == 1) {
    throw typing_error(fmt::format("the recovery key has a typing error in group {}", *groups.begin()));
  }
  throw typing_error("the recovery key has a typing error: its checksum does not fit");
}

}  // namespace nerve::backups
