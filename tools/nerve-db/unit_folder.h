// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "systemd_units.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nerve::cli {

/// A folder of systemd's units, and those in it that `nerve-db backup schedule` wrote: files whose first line
/// is unit_marker().
class UnitFolder {
 public:
  /// The folder that is named, else that of the machine for root, and of the user for others. Throws
  /// NotFoundError or ConflictError where the named one is missing or no folder, ValidationError where the
  /// user's is not known.
  static UnitFolder open(const std::optional<std::string>& named);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Whether the units are for the user's systemd and not for the machine's.
  bool is_of_user() const noexcept { return is_of_user_; }
  /// "systemctl --user" or "systemctl".
  std::string systemctl() const { return is_of_user_ ? "systemctl --user" : "systemctl"; }
  /// Whether systemd finds units here by their names alone.
  bool is_searched() const;

  /// The name of the units for a database, whether they are there or not: the short one unless the units of
  /// another database have it. Throws ConflictError where it is taken by a file that nerve-db did not write.
  std::string name_for(const std::filesystem::path& database) const;
  /// The units of a database that are there; absent where none are.
  std::optional<std::string> existing_name(const std::filesystem::path& database) const;

  std::filesystem::path service(const std::string& name) const { return path_ / (name + ".service"); }
  std::filesystem::path timer(const std::string& name) const { return path_ / (name + ".timer"); }
  /// Whether the timer is started with the machine or the session: `systemctl enable` made its link.
  bool is_enabled(const std::string& name) const;

 private:
  UnitFolder(std::filesystem::path path, bool is_of_user) : path_(std::move(path)), is_of_user_(is_of_user) {}

  std::filesystem::path path_;
  bool is_of_user_;
};

/// Whether the first line of a file is this marker.
bool is_marked(const std::filesystem::path& file, const std::string& marker);

enum class UnitChange : std::uint8_t { written, replaced, unchanged };

std::string_view to_string(UnitChange change) noexcept;

/// What writing a unit would do. Throws ConflictError, saying what differs, for one that is there with
/// another text, unless it may be replaced.
UnitChange unit_change(const std::filesystem::path& file, std::string_view text, bool may_replace);

/// Writes a unit, whole or not at all, readable for everybody as systemd wants it; its folder is made where
/// it is not there.
void write_unit(const std::filesystem::path& file, std::string_view text);

}  // namespace nerve::cli
