// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/config.h"

#include "readable_file.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

// The parser asserts, without NDEBUG, what it tells as an error two lines on: that a key begins like one.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

namespace nerve {

namespace {

std::string in_quotes(std::string_view key) {
  return "'" + std::string(key) + "'";
}

std::string_view expected_text(SettingType type) noexcept {
  switch (type) {
    case SettingType::text:
      return "a text in quotes that is not empty";
    case SettingType::integer:
      return "an integer";
    case SettingType::boolean:
      return "true or false";
    case SettingType::text_list:
      return "a list of texts in brackets";
  }
  return "another type";
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::int64_t default_integer(const Setting& setting) {
  const std::string_view text = setting.default_text;
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = text.empty() || (read.ec == std::errc() && read.ptr == text.data() + text.size());
  if (!whole)
    throw Error(ErrorKind::failure, "default of setting " + in_quotes(setting.key) + " is not an integer");
  return number;
}

}  // namespace

/// Fills a Config from a parsed document.
class ConfigReader {
 public:
  ConfigReader(Config& config, std::span<const Setting> known) : config_(config), known_(known) {
    for (const Setting& setting : known) {
      config_.entries_.insert_or_assign(std::string(setting.key), Config::Entry{default_value(setting), {}});
    }
  }

  void read(const toml::table& document) { read_table(document, {}); }

 private:
  static Config::Value default_value(const Setting& setting) {
    switch (setting.type) {
      case SettingType::text:
        return std::string(setting.default_text);
      case SettingType::integer:
        return default_integer(setting);
      case SettingType::boolean:
        return setting.default_text == "true";
      case SettingType::text_list:
        return split_at_commas(setting.default_text);
    }
    return std::string();
  }

  std::string position(const toml::source_region& source) const {
    return config_.file_.string() + ":" + std::to_string(source.begin.line) + ":" +
           std::to_string(source.begin.column);
  }

  void read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (const Setting* setting = find(key)) {
        read_setting(*setting, node, position(name.source()));
      } else if (node.is_table() && is_section(key)) {
        read_table(*node.as_table(), key + ".");
      } else if (node.is_table()) {
        refuse(key, position(name.source()), hint_for_section(key));
      } else {
        refuse(key, position(name.source()), hint_for_setting(prefix, std::string(name.str())));
      }
    }
  }

  const Setting* find(std::string_view key) const {
    for (const Setting& setting : known_) {
      if (setting.key == key) return &setting;
    }
    return nullptr;
  }

  bool is_section(const std::string& key) const {
    for (const Setting& setting : known_) {
      if (setting.key.starts_with(key + ".")) return true;
    }
    return false;
  }

  [[noreturn]] static void refuse(const std::string& key, const std::string& where, std::string hint) {
    if (hint.empty()) hint = "Remove it; the documentation lists what there is.";
    throw ValidationError(where + ": unknown setting " + in_quotes(sanitize_for_terminal(key)), hint);
  }

  static std::string did_you_mean(std::string_view name) { return "Did you mean " + in_quotes(name) + "?"; }

  std::string hint_for_section(std::string_view section) const {
    std::vector<std::string_view> sections;
    for (const Setting& setting : known_) {
      const std::size_t end = setting.key.rfind('.');
      if (end != std::string_view::npos) sections.push_back(setting.key.substr(0, end));
    }
    const auto match = closest_match(section, sections);
    return match ? did_you_mean(*match) : std::string();
  }

  /// What `name` behind `prefix` ("server.", empty at the top) may have meant: a setting beside it that is
  /// spelled alike or begins alike, then one of another section. Otherwise what its section has.
  std::string hint_for_setting(const std::string& prefix, const std::string& name) const {
    std::vector<std::string_view> beside;
    std::vector<std::string_view> elsewhere;
    for (const Setting& setting : known_) {
      const std::string_view last = setting.key.substr(setting.key.rfind('.') + 1);
      (prefix + std::string(last) == setting.key ? beside : elsewhere).push_back(last);
    }
    if (is_section(prefix + name)) {
      return "It is a section: write [" + prefix + name + "], and its settings below.";
    }
    auto match = closest_match(name, beside);
    if (!match) match = beginning_alike(name, beside);
    if (match) return did_you_mean(prefix + *match);
    match = closest_match(name, elsewhere);
    if (match) return did_you_mean(key_ending_in(*match));
    if (prefix.empty() || beside.empty()) return {};
    return "The section [" + prefix.substr(0, prefix.size() - 1) + "] has " + listed(beside) + ".";
  }

  static std::optional<std::string> beginning_alike(std::string_view name,
                                                    const std::vector<std::string_view>& candidates) {
    constexpr std::size_t length_min = 3;
    if (name.size() < length_min) return std::nullopt;
    for (const std::string_view candidate : candidates) {
      if (candidate.starts_with(name) || name.starts_with(candidate)) return std::string(candidate);
    }
    return std::nullopt;
  }

  std::string key_ending_in(const std::string& last) const {
    for (const Setting& setting : known_) {
      if (setting.key == last || setting.key.ends_with("." + last)) return std::string(setting.key);
    }
    return last;
  }

  static std::string listed(const std::vector<std::string_view>& names) {
    std::string list;
    for (std::size_t place = 0; place < names.size(); ++place) {
      if (place > 0) list += place + 1 == names.size() ? " and " : ", ";
      list += names[place];
    }
    return list;
  }

  void read_setting(const Setting& setting, const toml::node& node, const std::string& where) {
    auto value = value_of(setting, node);
    if (!value) {
      throw ValidationError(position(node.source()) + ": setting " + in_quotes(setting.key) + " must be " +
                                std::string(expected_text(setting.type)),
                            "It is: " + std::string(setting.description) + ".");
    }
    if (setting.type == SettingType::integer)
      require_within_limits(setting, std::get<std::int64_t>(*value), node);
    config_.entries_.insert_or_assign(std::string(setting.key), Config::Entry{std::move(*value), where});
  }

  static std::optional<Config::Value> value_of(const Setting& setting, const toml::node& node) {
    switch (setting.type) {
      case SettingType::text:
        if (const auto* text = node.as_string(); text != nullptr && !text->get().empty()) return text->get();
        return std::nullopt;
      case SettingType::integer:
        if (const auto* integer = node.as_integer()) return integer->get();
        return std::nullopt;
      case SettingType::boolean:
        if (const auto* boolean = node.as_boolean()) return boolean->get();
        return std::nullopt;
      case SettingType::text_list:
        return text_list_of(node);
    }
    return std::nullopt;
  }

  static std::optional<Config::Value> text_list_of(const toml::node& node) {
    const auto* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      if (text == nullptr) return std::nullopt;
      texts.push_back(text->get());
    }
    return texts;
  }

  void require_within_limits(const Setting& setting, std::int64_t number, const toml::node& node) const {
    if (number >= setting.minimum && number <= setting.maximum) return;
    throw ValidationError(position(node.source()) + ": setting " + in_quotes(setting.key) + " must be from " +
                              std::to_string(setting.minimum) + " to " + std::to_string(setting.maximum),
                          "It is: " + std::string(setting.description) + ".");
  }

  Config& config_;
  std::span<const Setting> known_;
};

namespace {

/// Refuses a file that somebody else could have changed, or that is no configuration by its size.
void require_trustworthy(const ReadableFile& file, const std::filesystem::path& path) {
  const struct stat status = file.status();
  if (!S_ISREG(status.st_mode)) throw ValidationError(file.name() + " is not a regular file");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw DeniedError(file.name() + " can be changed by group or others",
                      "Run: chmod go-w " + shell_word(path.string()));
  }
  if (static_cast<std::uintmax_t>(status.st_size) > Config::size_max) {
    throw ValidationError(file.name() + " is larger than 1 MiB");
  }
}

std::string read_text(const ReadableFile& file) {
  std::string text;
  std::array<std::byte, 4096> block{};
  // The bound holds for a file that grows meanwhile, too.
  while (text.size() <= Config::size_max) {
    const std::size_t count = file.read_some(block);
    if (count == 0) break;
    text += as_text(ByteView(block).first(count));
  }
  return text;
}

toml::table parse_toml(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    throw ValidationError(name + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column) +
                              ": not well-formed TOML",
                          "The parser says: " + sanitize_for_terminal(error.description()) + ".");
  }
}

}  // namespace

Config Config::defaults(std::span<const Setting> known) {
  Config config;
  const ConfigReader reader(config, known);
  return config;
}

Config Config::load(const std::filesystem::path& file, std::span<const Setting> known) {
  const ReadableFile open_file("configuration", file);
  require_trustworthy(open_file, file);
  return parse(read_text(open_file), file, known);
}

Config Config::parse(std::string_view text, const std::filesystem::path& file,
                     std::span<const Setting> known) {
  Config config;
  config.file_ = file;
  ConfigReader reader(config, known);
  reader.read(parse_toml(text, file.string()));
  return config;
}

bool Config::has(std::string_view key) const {
  return !entry(key).where.empty();
}

std::string Config::where(std::string_view key) const {
  return has(key) ? entry(key).where : "default";
}

const std::string& Config::text(std::string_view key) const {
  return value<std::string>(key);
}

std::int64_t Config::integer(std::string_view key) const {
  return value<std::int64_t>(key);
}

bool Config::boolean(std::string_view key) const {
  return value<bool>(key);
}

const std::vector<std::string>& Config::text_list(std::string_view key) const {
  return value<std::vector<std::string>>(key);
}

std::filesystem::path Config::path(std::string_view key) const {
  const std::string& relative = text(key);
  if (relative.empty()) return {};
  return file_.parent_path() / relative;
}

const Config::Entry& Config::entry(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) throw Error(ErrorKind::failure, "setting " + in_quotes(key) + " is not known");
  return found->second;
}

template <class T>
const T& Config::value(std::string_view key) const {
  if (const T* value = std::get_if<T>(&entry(key).value)) return *value;
  throw Error(ErrorKind::failure, "setting " + in_quotes(key) + " is of another type");
}

}  // namespace nerve
