// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"
#include "scheduled_backup.h"

#include "nerve/arguments.h"
#include "nerve/backups/repository.h"
#include "nerve/command.h"

#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

// What is asked of `nerve-db backup schedule`, made fit for a command that runs elsewhere and without the
// user.
namespace nerve::cli {

std::vector<Argument> schedule_options();

/// Throws ValidationError where an option of schedule is given that has no meaning together with `subject`;
/// `allowed` have one.
void require_alone(const Arguments& arguments, std::string_view subject,
                   const std::set<std::string_view>& allowed);

/// Absolute, and without "." and "..": a unit has no working folder.
std::filesystem::path absolute_path(const std::filesystem::path& path);

/// The database that is named, else the core store of the workspace and then its secure one, whether that is
/// there or not.
std::vector<std::filesystem::path> databases_meant(Context& context);

/// The backups that the options ask for. Throws ValidationError for options that contradict each other,
/// NotFoundError and DeniedError for a database, a program or a folder that is not there or of no use.
ScheduledBackup scheduled_backup(Context& context, const Arguments& arguments);

/// Throws ValidationError where the backups of the database are encrypted and no file with the key is named:
/// a timer can ask nobody; and where drills of them have no folder. Reads the file, so that one which cannot
/// be used is found now.
void require_key_at_hand(const Output& output, const Arguments& arguments,
                         const backups::Repository& repository, const ScheduledBackup& backup);

}  // namespace nerve::cli
