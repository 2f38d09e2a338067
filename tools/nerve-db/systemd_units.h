// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scheduled_backup.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// The text of systemd's units (systemd.syntax(7), systemd.service(5), systemd.timer(5)).
namespace nerve::cli {

struct UnitTexts {
  std::string service;
  std::string timer;
};

/// A service that makes one backup and a timer that starts it. While the service runs, the timer does not
/// start it again. Throws ValidationError for a program that systemd would refuse.
UnitTexts unit_texts(const ScheduledBackup& backup);

/// The first line of both, without its end: whose they are.
std::string unit_marker(const std::filesystem::path& database);
/// What every such line begins with.
inline constexpr std::string_view unit_marker_begin = "# Written by 'nerve-db backup schedule' for ";

/// Name of the units of a database, without ".timer": "nerve-backup-" and the name of the file without its
/// extension, escaped as systemd-escape(1) does but for "-"; with `is_distinct` the beginning of a hash of
/// its whole path behind it.
std::string unit_name(const std::filesystem::path& database, bool is_distinct);

/// One word of a line that systemd splits, in quotes where they are needed. Specifiers (%) are escaped;
/// variables
/// ($) are not, since ExecStart=: leaves them alone.
std::string unit_word(std::string_view text);

/// The calendar expression for an interval that divides hours, days or weeks evenly; absent for others.
std::optional<std::string> calendar_expression(std::chrono::seconds interval);

}  // namespace nerve::cli
