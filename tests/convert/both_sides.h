// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerve::test {

/// The rows of a table as texts that are equal for equal values, sorted: of the source by SQLite's shell
/// functions alone, of the target by what the server writes as text. It shares nothing with the converter but
/// the names in its plan.
std::vector<std::string> source_rows(const std::filesystem::path& source, const convert::TablePlan& table,
                                     const std::string& target_url, const std::string& schema = "public");
std::vector<std::string> target_rows(const convert::TablePlan& table, const std::string& target_url,
                                     const std::string& schema = "public");
std::vector<std::string> target_rows(const convert::TablePlan& table, postgresql::Session& target,
                                     const std::string& schema = "public");

/// The first place where two lists differ, cut to what a person reads; empty where they are the same.
std::string first_difference(const std::vector<std::string>& left, const std::vector<std::string>& right);

}  // namespace nerve::test
