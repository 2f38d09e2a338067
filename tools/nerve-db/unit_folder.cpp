// SPDX-License-Identifier: Apache-2.0
#include "unit_folder.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"
#include "nerve/core/update_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

namespace nerve::cli {

namespace {

const std::filesystem::path system_folder = "/etc/systemd/system";

std::optional<std::filesystem::path> folder_in(const char* variable, std::string_view below) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value != '/') return std::nullopt;
  return std::filesystem::path(value) / below;
}

std::filesystem::path user_folder() {
  if (const auto folder = folder_in("XDG_CONFIG_HOME", "systemd/user")) return *folder;
  if (const auto folder = folder_in("HOME", ".config/systemd/user")) return *folder;
  throw ValidationError("the folder of the user's units is not known, because HOME is not set",
                        "Set HOME, or name the folder with --units.");
}

std::optional<std::string> unit_file_text(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, error))) return std::nullopt;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw DeniedError(fmt::format("{} cannot be read", file.string()), "Run it as a user who may read it.");
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string_view first_line_of(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::string_view line = first_line_of(text);
    lines.emplace_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

/// The lines that only one of two texts has: "- " of the old, "+ " of the new one.
std::string difference(std::string_view before, std::string_view after) {
  constexpr std::size_t lines_max = 6;
  const std::vector<std::string> old_lines = lines_of(before);
  const std::vector<std::string> new_lines = lines_of(after);
  std::vector<std::string> differing;
  for (const std::string& line : old_lines) {
    if (std::ranges::find(new_lines, line) == new_lines.end()) differing.push_back("- " + line);
  }
  for (const std::string& line : new_lines) {
    if (std::ranges::find(old_lines, line) == old_lines.end()) differing.push_back("+ " + line);
  }
  if (differing.empty()) return "the order of its lines";
  return list_names(differing, lines_max);
}

enum class Owner : std::uint8_t { nobody, us, other_database, stranger };

Owner owner_of(const std::filesystem::path& file, const std::string& marker) {
  const std::optional<std::string> text = unit_file_text(file);
  if (!text) return Owner::nobody;
  const std::string_view line = first_line_of(*text);
  if (line == marker) return Owner::us;
  return line.starts_with(unit_marker_begin) ? Owner::other_database : Owner::stranger;
}

}  // namespace

UnitFolder UnitFolder::open(const std::optional<std::string>& named) {
  const bool is_root = ::geteuid() == 0;
  if (!named) return is_root ? UnitFolder(system_folder, false) : UnitFolder(user_folder(), true);
  std::filesystem::path path = std::filesystem::absolute(*named).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw NotFoundError(fmt::format("the folder {} is not there", path.string()),
                        fmt::format("Make it: mkdir -p {}.", shell_word(path.string())));
  }
  if (!std::filesystem::is_directory(status)) {
    throw ConflictError(fmt::format("{} is not a folder", path.string()),
                        "Name a folder for the units with --units.");
  }
  // systemd has folders of both kinds, and their names say which.
  if (path.parent_path().filename() == "systemd" && path.filename() == "user") return {path, true};
  if (path.parent_path().filename() == "systemd" && path.filename() == "system") return {path, false};
  return {path, !is_root};
}

bool UnitFolder::is_searched() const {
  return path_.parent_path().filename() == "systemd" &&
         (path_.filename() == "user" || path_.filename() == "system");
}

std::optional<std::string> UnitFolder::existing_name(const std::filesystem::path& database) const {
  const std::string marker = unit_marker(database);
  for (const bool is_distinct : {false, true}) {
    const std::string name = unit_name(database, is_distinct);
    for (const std::filesystem::path& file : {service(name), timer(name)}) {
      if (owner_of(file, marker) == Owner::us) return name;
    }
  }
  return std::nullopt;
}

std::string UnitFolder::name_for(const std::filesystem::path& database) const {
  if (const auto name = existing_name(database)) return *name;
  const std::string marker = unit_marker(database);
  for (const bool is_distinct : {false, true}) {
    std::string name = unit_name(database, is_distinct);
    bool is_free = true;
    for (const std::filesystem::path& file : {service(name), timer(name)}) {
      const Owner owner = owner_of(file, marker);
      if (owner == Owner::stranger) {
        throw ConflictError(
            fmt::format("{} is there, and 'nerve-db backup schedule' did not write it", file.string()),
            "Move it away, or name another folder with --units.");
      }
      is_free = is_free && owner == Owner::nobody;
    }
    if (is_free) return name;
  }
  throw ConflictError(
      fmt::format("{} holds units of both names that {} could have", path_.string(), database.string()),
      "Name another folder with --units.");
}

bool UnitFolder::is_enabled(const std::string& name) const {
  std::vector<std::filesystem::path> folders{path_};
  if (!is_of_user_) {
    folders.push_back(system_folder);
  } else if (const auto folder = folder_in("XDG_CONFIG_HOME", "systemd/user")) {
    folders.push_back(*folder);
  } else if (const auto home = folder_in("HOME", ".config/systemd/user")) {
    folders.push_back(*home);
  }
  return std::ranges::any_of(folders, [&](const std::filesystem::path& folder) {
    std::error_code error;
    return std::filesystem::is_symlink(folder / "timers.target.wants" / (name + ".timer"), error);
  });
}

bool is_marked(const std::filesystem::path& file, const std::string& marker) {
  return owner_of(file, marker) == Owner::us;
}

std::string_view to_string(UnitChange change) noexcept {
  switch (change) {
    case UnitChange::written:
      return "written";
    case UnitChange::replaced:
      return "replaced";
    case UnitChange::unchanged:
      return "unchanged";
  }
  return "unchanged";
}

UnitChange unit_change(const std::filesystem::path& file, std::string_view text, bool may_replace) {
  const std::optional<std::string> before = unit_file_text(file);
  if (!before) return UnitChange::written;
  if (*before == text) return UnitChange::unchanged;
  if (may_replace) return UnitChange::replaced;
  throw ConflictError(
      fmt::format("{} is there and differs: {}", file.string(),
                  sanitize_for_terminal(difference(*before, text))),
      "Add --replace to write it anew. What you changed by hand belongs into a drop-in, which stays: "
      "systemctl edit.");
}

void write_unit(const std::filesystem::path& file, std::string_view text) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    throw DeniedError(
        fmt::format("cannot make the folder {}: {}", file.parent_path().string(), error.message()),
        "Name a folder that you may write with --units.");
  }
  const FileUpdate options{.mode = 0644, .hint = "Name a folder that you may write with --units."};
  update_file(file, options, [&](const std::optional<std::string>&) { return std::string(text); });
}

}  // namespace nerve::cli
