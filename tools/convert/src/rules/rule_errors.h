// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/column_rule.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace nerve::convert {

/// A name or a word of the file for a message: in quotes, and harmless for a terminal.
std::string in_quotes(std::string_view text);

/// Collects what is wrong in a rules file, so that all of it is told at once.
class RuleErrors {
 public:
  /// How many are told.
  static constexpr std::size_t told_max = 10;

  explicit RuleErrors(std::filesystem::path file) : file_(std::move(file)) {}

  /// `message` says what is wrong and, behind a semicolon, what to do.
  void add(const RulePlace& place, std::string message) { errors_.emplace(place, std::move(message)); }

  /// Throws ValidationError with a violation for each of the first errors, whose field is "FILE:LINE:COLUMN",
  /// in the order of the file; returns where there is none.
  void require_none() const;

 private:
  std::filesystem::path file_;
  std::multimap<RulePlace, std::string> errors_;
};

}  // namespace nerve::convert
