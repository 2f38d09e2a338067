// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/health/report.h"

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace nerve::health {

/// Ids of checks that are left out.
using Skipped = std::set<std::string, std::less<>>;

/// Adds checks to a report one after the other, so that none stops the next: what throws is `unknown`, with
/// its message as the reason and its hint as the fix. Those that are to be left out are not made.
class Checklist {
 public:
  /// Borrows both.
  Checklist(Report& report, const Skipped& skipped) : report_(report), skipped_(skipped) {}

  /// Makes a check unless it is left out. Throws only CancelledError.
  void attempt(std::string_view id, const std::function<Check()>& check);
  /// Adds one that was made already, unless it is left out.
  void add(Check check);
  /// Adds an unknown check for each id, with why it could not be made.
  void add_unknown(std::span<const std::string_view> ids, const std::string& reason);

  bool is_wanted(std::string_view id) const { return !skipped_.contains(id); }

  /// Makes a check that others depend on, whether or not it is left out. Throws only CancelledError.
  static Check evaluate(std::string_view id, const std::function<Check()>& check);

 private:
  Report& report_;
  const Skipped& skipped_;
};

/// A check that could not be made, and why.
Check unknown_check(std::string_view id, const std::string& reason, std::string fix = {});

/// What a check says, as the reason for those that cannot be made after it.
std::string reason_of(const Check& check);

}  // namespace nerve::health
