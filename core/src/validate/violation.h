// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <string>
#include <string_view>

namespace nerve::validate {

/// A violation whose message reads on from the field's name: field "domain", message "has an empty label".
inline Violation violation(std::string_view field, std::string_view rule, std::string_view message) {
  return {std::string(field), std::string(rule), std::string(message)};
}

/// Throws the one violation that a parser met, as "domain has an empty label (rule label_empty)".
[[noreturn]] inline void throw_violation(Violation found, std::string_view hint) {
  const std::string message = found.field + " " + found.message + " (rule " + found.rule + ")";
  throw ValidationError(message, std::string(hint), {std::move(found)});
}

}  // namespace nerve::validate
