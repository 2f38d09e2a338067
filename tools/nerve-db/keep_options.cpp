// SPDX-License-Identifier: Apache-2.0
#include "keep_options.h"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace nerve::cli {

namespace {

constexpr std::int64_t count_max = 100'000;
constexpr std::int64_t safety_days_max = 36'500;

Argument keep_option(std::string_view name, std::string_view description) {
  return {.name = name,
          .value_name = "N",
          .type = ArgumentType::integer,
          .description = std::string(description),
          .minimum = 0,
          .maximum = count_max};
}

}  // namespace

std::vector<Argument> keep_options() {
  return {keep_option("--keep-last", "the newest N"),
          keep_option("--keep-hourly", "the newest of each of N hours"),
          keep_option("--keep-daily", "the newest of each of N days"),
          keep_option("--keep-weekly", "the newest of each of N weeks"),
          keep_option("--keep-monthly", "the newest of each of N months"),
          keep_option("--keep-yearly", "the newest of each of N years"),
          {.name = "--keep-safety",
           .value_name = "DAYS",
           .type = ArgumentType::integer,
           .description = "what restores and migrations kept, for so many days (default: 7)",
           .minimum = 0,
           .maximum = safety_days_max}};
}

backups::RetentionPolicy retention_policy(const Arguments& arguments) {
  backups::RetentionPolicy policy;
  policy.last = arguments.integer("--keep-last").value_or(0);
  policy.hourly = arguments.integer("--keep-hourly").value_or(0);
  policy.daily = arguments.integer("--keep-daily").value_or(0);
  policy.weekly = arguments.integer("--keep-weekly").value_or(0);
  policy.monthly = arguments.integer("--keep-monthly").value_or(0);
  policy.yearly = arguments.integer("--keep-yearly").value_or(0);
  if (const auto days = arguments.integer("--keep-safety")) policy.safety = std::chrono::days(*days);
  return policy;
}

std::vector<std::string> keep_words(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const Argument& option : keep_options()) {
    if (const auto value = arguments.text(option.name)) {
      words.emplace_back(option.name);
      words.push_back(*value);
    }
  }
  return words;
}

}  // namespace nerve::cli
