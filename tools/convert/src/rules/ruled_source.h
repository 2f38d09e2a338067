// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/names.h"
#include "plan/source_schema.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

#include <filesystem>
#include <vector>

namespace nerve::convert {

/// Reads the rules file and applies it to a schema that was just read; an empty path is no file. Returns what
/// becomes of the case of names: `case_policy`, unless that is to fold and the file says to keep.
///
/// Throws ValidationError with all that is wrong in the file, and what reading a file throws.
CasePolicy rule_schema(const std::filesystem::path& file, CasePolicy case_policy, SourceSchema& schema);

/// Counts what does not fit ruled types. Throws ValidationError where a ruled type fits no value of its
/// column.
void judge_ruled_types(const std::filesystem::path& file, sqlite::Session& session,
                       const SourceSchema& schema, std::vector<TableProfile>& profiles);

}  // namespace nerve::convert
