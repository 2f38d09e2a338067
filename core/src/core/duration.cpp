// SPDX-License-Identifier: Apache-2.0
// Spans of time as people write them in options.
#include "nerve/core/text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <utility>

namespace nerve {

namespace {

constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 60 * minute_s;
constexpr std::int64_t day_s = 24 * hour_s;
constexpr std::int64_t week_s = 7 * day_s;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> names = {
    {{"hourly", hour_s}, {"daily", day_s}, {"weekly", week_s}}};
constexpr std::array<std::pair<char, std::int64_t>, 5> units = {
    {{'s', 1}, {'m', minute_s}, {'h', hour_s}, {'d', day_s}, {'w', week_s}}};

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  for (const auto& [name, seconds] : names) {
    if (text == name) return std::chrono::seconds(seconds);
  }
  std::int64_t amount = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (read.ec != std::errc() || read.ptr + 1 != text.data() + text.size() || amount <= 0) return std::nullopt;
  for (const auto& [unit, seconds] : units) {
    if (*read.ptr != unit) continue;
    if (amount > duration_max.count() / seconds) return std::nullopt;
    return std::chrono::seconds(amount * seconds);
  }
  return std::nullopt;
}

std::string duration_word(std::chrono::seconds duration) {
  const std::int64_t seconds = duration.count();
  if (seconds % day_s == 0) return std::to_string(seconds / day_s) + "d";
  if (seconds % hour_s == 0) return std::to_string(seconds / hour_s) + "h";
  if (seconds % minute_s == 0) return std::to_string(seconds / minute_s) + "m";
  return std::to_string(seconds) + "s";
}

}  // namespace nerve
