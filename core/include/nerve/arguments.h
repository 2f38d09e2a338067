// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/codec.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

/// What the user gave to a command, by the names its definition uses ("--db", "ID"). Values were checked
/// against the definition before the command sees them.
class Arguments {
 public:
  void add(std::string_view name, std::string value) {
    values_[std::string(name)].push_back(std::move(value));
  }

  /// Whether an option or operand was given; the way to ask for a flag.
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::optional<std::string> text(std::string_view name) const;
  /// Of an option or operand whose definition says that it repeats: all values in their order.
  std::vector<std::string> texts(std::string_view name) const;
  /// Of an option whose definition says ArgumentType::integer.
  std::optional<std::int64_t> integer(std::string_view name) const;
  /// Of an option whose definition says ArgumentType::duration.
  std::optional<std::chrono::seconds> duration(std::string_view name) const;
  /// Of an option whose definition says ArgumentType::choice with choices_of<Enum>().
  template <class Enum>
  std::optional<Enum> choice(std::string_view name) const {
    const auto given = text(name);
    return given ? db::enum_of<Enum>(*given) : std::nullopt;
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;  // none of them empty
};

}  // namespace nerve
