// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/scope.h"
#include "nerve/store.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

/// What a job has to work with.
struct JobContext {
  Stores& stores;
  Scope scope;  ///< of the whole workspace; what a job does with tenants it does for one after the other
  bool is_dry_run = false;  ///< count what would be done, and change nothing
};

struct JobCount {
  std::string_view name;  ///< such as "delivered"
  std::int64_t value = 0;
};

/// What a job did. Problems are parts that could not be done; each names its object, without values.
struct JobReport {
  std::vector<JobCount> counts;
  std::vector<std::string> problems = {};
};

/// Work that is done from time to time by `nerve-db jobs run`, one runner at a time in a workspace.
///
/// A job can be cut off at any point and run again: it works in transactions of bounded size, each of which
/// leaves usable data. What it throws is its failure; other jobs still run.
struct Job {
  std::string_view name;
  std::string_view description;   ///< one line
  std::chrono::seconds interval;  ///< how long after its last run it is due again
  JobReport (*run)(JobContext& context);
};

}  // namespace nerve
