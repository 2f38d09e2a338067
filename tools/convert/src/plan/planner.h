// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/names.h"
#include "plan/source_schema.h"

#include "nerve/convert/plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerve::convert {

struct PlanRequest {
  std::filesystem::path source;
  std::string schema = "public";
  CasePolicy case_policy = CasePolicy::lower;
};

/// Plans each table, column, key, index, constraint and view of the source, or says why one has no equal.
Plan make_plan(const PlanRequest& request, const SourceSchema& schema,
               const std::vector<TableProfile>& profiles);

}  // namespace nerve::convert
