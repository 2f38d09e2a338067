// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_occasion.h"

#include "nerve/command.h"
#include "nerve/core/output.h"

#include <filesystem>

namespace nerve::cli {

/// --metrics.
Argument metrics_option();

/// The file that --metrics or backup.metrics_file names; empty where neither does.
std::filesystem::path metrics_file(Context& context, const Arguments& arguments);

/// Renews the samples of the database, or of both stores of the workspace, in a file for node_exporter's text
/// file collector (docs/scheduling.md lists them), which everybody may read. Samples of other databases stay;
/// so do those of the last success where the run made no good backup. False, after a warning, where the file
/// cannot be written.
bool write_metrics(Output& output, const std::filesystem::path& file, const BackupOccasion& occasion);

}  // namespace nerve::cli
