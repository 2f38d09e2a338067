// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_occasion.h"

#include "nerve/command.h"
#include "nerve/core/output.h"

#include <chrono>
#include <string>
#include <vector>

namespace nerve::cli {

/// --before and --after.
std::vector<Argument> hook_options();

/// The programs before and after each backup: --before and --after, else backup.before and backup.after of
/// nerve.toml (docs/scheduling.md says what they are told).
class BackupHooks {
 public:
  /// A program of nerve.toml with "/" in its name, and no "/" before it, begins at the file's folder.
  BackupHooks(Context& context, const Arguments& arguments);

  /// Throws Error where the program fails, CancelledError where the user stops it, and what run_program()
  /// throws.
  void run_before(const BackupOccasion& occasion) const;

  /// False, after a warning, where the program failed.
  bool run_after(const BackupOccasion& occasion) const;

 private:
  Output& output_;
  std::vector<std::string> before_;
  std::vector<std::string> after_;
  std::chrono::seconds time_limit_;
};

}  // namespace nerve::cli
