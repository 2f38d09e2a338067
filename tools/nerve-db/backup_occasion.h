// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/core/error.h"
#include "nerve/core/time.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nerve {
class Arguments;
}

namespace nerve::cli {

class Context;

/// One store of a workspace in a run, and what came of it.
struct StoreOccasion {
  std::string store;  ///< "core" or "secure"
  std::filesystem::path database;
  std::optional<backups::Manifest> manifest = std::nullopt;
};

/// One run of `nerve-db backup` for one database or the two stores of a workspace, and what came of it.
struct BackupOccasion {
  std::filesystem::path database;  ///< of a workspace its core store
  std::filesystem::path repository;
  Timestamp begun_at;
  std::optional<backups::Manifest> manifest = std::nullopt;  ///< the backup, where one was made
  std::optional<Error> error = std::nullopt;  ///< why the command fails, also of a backup that was made
  int exit_code = 0;                          ///< how it ends
  std::vector<StoreOccasion> stores = {};     ///< both of a workspace; else empty

  bool is_good() const noexcept { return !error; }
};

/// Runs the program before a backup, then `make`, which makes it and keeps its manifest, then writes the
/// metrics and runs the program after it, as options and settings say; the last two also where anything
/// before them failed.
///
/// Returns the exit code: 0, or that of `partial` after a warning where the backup is good, and the metrics
/// or the program after it failed. Throws what `make` throws, and Error where the program before it failed,
/// with its exit status and the last line of its standard error.
int attend_backup(Context& context, const Arguments& arguments, BackupOccasion occasion,
                  const std::function<void(BackupOccasion&)>& make);

}  // namespace nerve::cli
