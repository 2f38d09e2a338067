// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scheduled_backup.h"

#include <string>

namespace nerve::cli {

/// The line of crontab(5) that makes the backups: silent when all is well, since cron mails what is said. It
/// means the same to those crons that take `\\` for a backslash and to those that do not.
///
/// Throws ValidationError for an interval that cron cannot express, naming those that it can, and for a line
/// that is longer than cron takes.
std::string crontab_line(const ScheduledBackup& backup);

}  // namespace nerve::cli
