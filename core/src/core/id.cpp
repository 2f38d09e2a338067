// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/id.h"

#include "hex_digit.h"

#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/random.h"

#include <bit>
#include <chrono>

namespace nerve {

namespace {

constexpr int version_7 = 7;
constexpr std::int64_t us_per_ms = 1000;
constexpr std::uint32_t random_high_seed_mask = 0x7ff;           // without the highest
constexpr std::uint64_t random_low_max = 0x3fff'ffff'ffff'ffff;  // 62 bits

constexpr bool is_hyphen_place(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

void put_big_endian(Uuid::Octets& octets, std::size_t first, std::size_t size, std::uint64_t value) {
  for (std::size_t i = size; i-- > 0; value >>= 8) octets[first + i] = static_cast<std::byte>(value & 0xff);
}

Uuid compose_version_7(std::int64_t time_ms, std::uint32_t random_high, std::uint64_t random_low) {
  constexpr std::uint64_t version_bits = 0x7000;
  constexpr std::uint64_t variant_bits = 0x8000'0000'0000'0000;
  Uuid::Octets octets{};
  put_big_endian(octets, 0, 6, static_cast<std::uint64_t>(time_ms));
  put_big_endian(octets, 6, 2, version_bits | random_high);
  put_big_endian(octets, 8, 8, variant_bits | random_low);
  return Uuid(octets);
}

}  // namespace

Uuid Uuid::parse(std::string_view text) {
  bool well_formed = text.size() == text_length;
  Octets octets{};
  std::size_t digits = 0;
  for (std::size_t i = 0; well_formed && i < text.size(); ++i) {
    if (is_hyphen_place(i)) {
      well_formed = text[i] == '-';
      continue;
    }
    const unsigned value = hex_value(text[i]);
    well_formed = value < 16;
    octets[digits / 2] = octets[digits / 2] << 4 | static_cast<std::byte>(value);
    ++digits;
  }
  if (!well_formed) {
    throw ValidationError("id is not a UUID",
                          "Write it as 8-4-4-4-12 hexadecimal digits, all 36 characters.");
  }
  return Uuid(octets);
}

std::string Uuid::to_string() const {
  std::string text(text_length, '-');
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text_length; ++i) {
    if (is_hyphen_place(i)) continue;
    const auto octet = std::to_integer<unsigned>(octets_[digits / 2]);
    text[i] = hex_digit(digits % 2 == 0 ? octet >> 4 : octet & 0x0fU);
    ++digits;
  }
  return text;
}

std::optional<Timestamp> Uuid::timestamp() const noexcept {
  if (version() != version_7) return std::nullopt;
  std::int64_t time_ms = 0;
  for (std::size_t i = 0; i < 6; ++i) time_ms = time_ms << 8 | std::to_integer<std::int64_t>(octets_[i]);
  if (time_ms > Timestamp::max_us / us_per_ms) return std::nullopt;
  return Timestamp::from_microseconds(time_ms * us_per_ms);
}

Uuid IdGenerator::next() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_us = clock_.now().microseconds();
  if (now_us < 0) throw ValidationError("the clock shows a time before 1970", "Set the system's clock.");
  if (now_us / us_per_ms > last_ms_) {
    reseed();
    last_ms_ = now_us / us_per_ms;
  } else {
    count_up();
  }
  return compose_version_7(last_ms_, random_high_, random_low_);
}

void IdGenerator::reseed() {
  std::array<std::byte, 16> drawn{};
  random_.fill(drawn);
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(drawn);
  random_high_ = static_cast<std::uint32_t>(words[0]) & random_high_seed_mask;
  random_low_ = words[1] & random_low_max;
}

void IdGenerator::count_up() {
  std::array<std::byte, 4> drawn{};
  random_.fill(drawn);
  random_low_ += std::uint64_t{std::bit_cast<std::uint32_t>(drawn)} + 1;
  if (random_low_ <= random_low_max) return;
  random_low_ &= random_low_max;
  // The 74 bits do not overflow: the highest one began as zero, which leaves room for 2^41 steps.
  ++random_high_;
}

Uuid new_uuid() {
  // One generator for the process, because only a shared one can keep the ids of all threads in order. It is
  // made at first use, so nothing runs before main, and it never holds what one caller could see of another.
  static IdGenerator generator(system_clock(), system_random());
  return generator.next();
}

}  // namespace nerve
