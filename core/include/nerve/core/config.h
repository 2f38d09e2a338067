// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nerve {

enum class SettingType : std::uint8_t { text, integer, boolean, text_list };

/// What a setting is called, what it may be, and what it is where the file says nothing.
struct Setting {
  std::string_view key;  ///< dotted: "backup.repository"
  SettingType type = SettingType::text;
  std::string_view description;  ///< one line, for help and documentation
  std::string_view default_text =
      {};  ///< as the file would write it, a list with commas; empty: "", 0, false or no elements
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();  ///< of integers
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

/// The settings that exist, with their defaults and limits.
const std::vector<Setting>& core_settings();

/// A configuration file (TOML 1.0), read strictly: a key that is not known, a value of another type and an
/// integer outside its limits are errors that name file, line and column, so that a misspelt setting is never
/// silently ignored.
///
/// The getters throw Error for a key that is not among the known settings or is of another type: a mistake of
/// the program.
class Config {
 public:
  static constexpr std::uintmax_t size_max = 1024 * 1024;

  /// Every setting at its default, as without a file. Paths are relative to the working folder.
  static Config defaults(std::span<const Setting> known = core_settings());

  /// Reads a file. Throws NotFoundError where there is none, DeniedError where it cannot be read or where
  /// group or others may write to it (they could redirect backups), ValidationError for what is wrong in it.
  static Config load(const std::filesystem::path& file, std::span<const Setting> known = core_settings());

  /// The same for a text. `file` is the name for messages, and its folder is where paths begin.
  static Config parse(std::string_view text, const std::filesystem::path& file,
                      std::span<const Setting> known = core_settings());

  /// Whether the file sets it.
  bool has(std::string_view key) const;
  /// Where the file sets it: "nerve.toml:3:1"; "default" where it does not.
  std::string where(std::string_view key) const;

  const std::string& text(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  bool boolean(std::string_view key) const;
  const std::vector<std::string>& text_list(std::string_view key) const;
  /// A text as a path: relative ones begin at the file's folder; empty where the text is empty.
  std::filesystem::path path(std::string_view key) const;

  /// The file's path as it was given; empty without a file.
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  friend class ConfigReader;
  using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;
  struct Entry {
    Value value;
    std::string where;  // empty: the default
  };

  const Entry& entry(std::string_view key) const;
  template <class T>
  const T& value(std::string_view key) const;

  std::filesystem::path file_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace nerve
