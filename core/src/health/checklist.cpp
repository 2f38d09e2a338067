// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/checklist.h"

#include "nerve/core/error.h"

#include <exception>
#include <utility>

namespace nerve::health {

namespace {

constexpr std::string_view not_checked = "could not be checked: ";

}  // namespace

Check unknown_check(std::string_view id, const std::string& reason, std::string fix) {
  return {.id = std::string(id),
          .status = Status::unknown,
          .value = {},
          .threshold = {},
          .message = std::string(not_checked) + reason,
          .fix = std::move(fix)};
}

std::string reason_of(const Check& check) {
  std::string message = check.message;
  if (message.starts_with(not_checked)) message.erase(0, not_checked.size());
  return message;
}

Check Checklist::evaluate(std::string_view id, const std::function<Check()>& check) {
  try {
    return check();
  } catch (const CancelledError&) {
    throw;
  } catch (const std::exception& exception) {
    const Error error = error_from(exception);
    return unknown_check(id, error.what(), error.hint());
  }
}

void Checklist::attempt(std::string_view id, const std::function<Check()>& check) {
  if (is_wanted(id)) add(evaluate(id, check));
}

void Checklist::add(Check check) {
  if (is_wanted(check.id)) report_.checks.push_back(std::move(check));
}

void Checklist::add_unknown(std::span<const std::string_view> ids, const std::string& reason) {
  for (const std::string_view id : ids) add(unknown_check(id, reason));
}

}  // namespace nerve::health
