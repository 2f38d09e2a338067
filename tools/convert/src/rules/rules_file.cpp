// SPDX-License-Identifier: Apache-2.0
#include "rules/rules_file.h"

#include "sql/tokens.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// The parser asserts, without NDEBUG, what it tells as an error two lines on: that a key begins like one.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

namespace nerve::convert {
namespace {

RulePlace place_of(const toml::source_region& region) {
  return {.line = region.begin.line, .column = region.begin.column};
}

/// "a, b or c".
std::string one_of(std::span<const std::string_view> words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i)
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + in_quotes(words[i]);
  return list;
}

const std::array<std::string_view, 4> misfit_rules{to_string(MisfitRule::widen),
                                                   to_string(MisfitRule::reject), to_string(MisfitRule::null),
                                                   to_string(MisfitRule::fail)};
const std::array<std::string_view, 4> time_forms{
    to_string(TimeForm::iso_text), to_string(TimeForm::epoch_seconds),
    to_string(TimeForm::epoch_milliseconds), to_string(TimeForm::julian_day)};
constexpr std::array<std::string_view, 2> case_policies{"lower", "keep"};

/// What people of other habits write, and what stands for it here.
std::string_view type_meant(std::string_view name) {
  struct Synonym {
    std::string_view written;
    std::string_view meant;
  };
  constexpr std::array synonyms{Synonym{"int", "bigint"},
                                Synonym{"integer", "bigint"},
                                Synonym{"smallint", "bigint"},
                                Synonym{"real", "double precision"},
                                Synonym{"float", "double precision"},
                                Synonym{"double", "double precision"},
                                Synonym{"decimal", "numeric"},
                                Synonym{"bool", "boolean"},
                                Synonym{"blob", "bytea"},
                                Synonym{"jsonb", "json"},
                                Synonym{"datetime", "timestamp"},
                                Synonym{"timestamp with time zone", "timestamptz"},
                                Synonym{"character varying", "varchar(40)"},
                                Synonym{"char", "varchar(40)"},
                                Synonym{"varchar", "varchar(40)"}};
  const auto* const found = std::ranges::find(synonyms, name, &Synonym::written);
  return found == synonyms.end() ? std::string_view() : found->meant;
}

/// What to do about a type that is none.
std::string type_remedy(std::string_view text) {
  const std::vector<std::string_view> names = target_type_names();
  const std::string lower = sql::folded(text);
  std::string name = lower.substr(0, lower.find('('));
  while (name.ends_with(' ')) name.pop_back();
  std::string meant(type_meant(name));
  if (meant.empty()) meant = closest_match(name, names).value_or("");
  const bool has_numbers = lower.find('(') != std::string::npos;
  if (has_numbers && (meant == "numeric" || meant.starts_with("varchar")))
    return "write numeric(10,2) with a precision up to 1000, or varchar(40) with a length up to 10485760";
  if (!meant.empty()) return "write " + in_quotes(meant);
  return "there are " + fmt::format("{}", fmt::join(names, ", "));
}

/// Reads a document, and goes on behind an error.
class Reader {
 public:
  explicit Reader(RuleErrors& errors) : errors_(errors) {}

  RulesFile read(const toml::table& document) {
    constexpr std::array<std::string_view, 3> keys{"case", "on_misfit", "tables"};
    RulesFile file;
    each(document, keys, "a rules file", [&](std::string_view key, const toml::node& node) {
      if (key == "case") {
        if (const auto word = read_word(node, case_policies, key))
          file.case_policy = word->value == "keep" ? CasePolicy::keep : CasePolicy::lower;
      } else if (key == "on_misfit") {
        if (const auto rule = read_misfit_rule(node)) file.on_misfit = rule->value;
      } else {
        each_of(node, "tables", [&](const toml::key& name, const toml::table& table) {
          file.tables.push_back(read_table(name, table));
        });
      }
    });
    std::ranges::sort(file.tables, {}, [](const FileTable& table) { return table.source.place; });
    return file;
  }

 private:
  using OnKey = std::function<void(std::string_view key, const toml::node& node)>;

  FileTable read_table(const toml::key& name, const toml::table& rules) {
    constexpr std::array<std::string_view, 4> keys{"name", "skip", "on_misfit", "columns"};
    FileTable table;
    table.source = {std::string(name.str()), place_of(name.source())};
    each(rules, keys, "a table", [&](std::string_view key, const toml::node& node) {
      if (key == "name") {
        table.name = read_name(node);
      } else if (key == "skip") {
        table.is_skipped = read_boolean(node, key);
      } else if (key == "on_misfit") {
        if (const auto rule = read_misfit_rule(node)) table.on_misfit = rule->value;
      } else {
        each_of(node, "columns", [&](const toml::key& column, const toml::table& columns) {
          table.columns.push_back(read_column(column, columns));
        });
      }
    });
    std::ranges::sort(table.columns, {}, [](const FileColumn& column) { return column.source.place; });
    return table;
  }

  FileColumn read_column(const toml::key& name, const toml::table& rules) {
    constexpr std::array<std::string_view, 5> keys{"name", "type", "time", "on_misfit", "skip"};
    FileColumn column;
    column.source = {std::string(name.str()), place_of(name.source())};
    each(rules, keys, "a column", [&](std::string_view key, const toml::node& node) {
      if (key == "name") {
        column.name = read_name(node);
      } else if (key == "type") {
        column.type = read_type(node);
      } else if (key == "time") {
        if (const auto word = read_word(node, time_forms, key))
          column.time = {*parse_time_form(word->value), word->place};
      } else if (key == "on_misfit") {
        column.on_misfit = read_misfit_rule(node);
      } else {
        column.is_skipped = read_boolean(node, key);
      }
    });
    if (column.time && !(column.type && is_time(column.type->value.type))) {
      errors_.add(column.time->place,
                  "'time' says how a date, timestamp or timestamptz is written; give the column such a type");
    } else if (column.time) {
      column.type->value.time = column.time->value;
    }
    return column;
  }

  /// Calls `on_key` for each key that is among the known ones.
  void each(const toml::table& table, std::span<const std::string_view> known, std::string_view what,
            const OnKey& on_key) {
    for (const auto& [key, node] : table) {
      if (std::ranges::find(known, key.str()) != known.end()) {
        on_key(key.str(), node);
        continue;
      }
      const auto match = closest_match(key.str(), known);
      errors_.add(place_of(key.source()),
                  fmt::format("unknown key {}; {}", in_quotes(key.str()),
                              match ? "did you mean " + in_quotes(*match) + "?"
                                    : fmt::format("{} has {}", what, fmt::join(known, ", "))));
    }
  }

  /// Calls `on_table` for each of the tables that a table of tables has.
  void each_of(const toml::node& node, std::string_view key,
               const std::function<void(const toml::key&, const toml::table&)>& on_table) {
    const toml::table* all = node.as_table();
    if (all == nullptr) {
      errors_.add(
          place_of(node.source()),
          fmt::format("{} must be a table; write [tables.\"NAME\"] and below it its rules", in_quotes(key)));
      return;
    }
    for (const auto& [name, one] : *all) {
      if (const toml::table* table = one.as_table()) {
        on_table(name, *table);
        continue;
      }
      errors_.add(place_of(name.source()),
                  fmt::format("the rules of {} must be a table; write {} = {{ name = \"…\" }}",
                              in_quotes(name.str()), sanitize_for_terminal(name.str())));
    }
  }

  std::optional<Placed<std::string>> read_text(const toml::node& node, std::string_view key) {
    if (const auto* text = node.as_string()) return Placed<std::string>{text->get(), place_of(node.source())};
    errors_.add(place_of(node.source()),
                fmt::format("{} must be a text; write it in quotes", in_quotes(key)));
    return std::nullopt;
  }

  bool read_boolean(const toml::node& node, std::string_view key) {
    if (const auto* boolean = node.as_boolean()) return boolean->get();
    errors_.add(place_of(node.source()),
                fmt::format("{} must be true or false; write it without quotes", in_quotes(key)));
    return false;
  }

  std::optional<Placed<std::string>> read_word(const toml::node& node,
                                               std::span<const std::string_view> words,
                                               std::string_view key) {
    auto text = read_text(node, key);
    if (!text || std::ranges::find(words, text->value) != words.end()) return text;
    errors_.add(text->place, fmt::format("{} is no value of {}; write {}", in_quotes(text->value),
                                         in_quotes(key), one_of(words)));
    return std::nullopt;
  }

  std::optional<Placed<MisfitRule>> read_misfit_rule(const toml::node& node) {
    const auto word = read_word(node, misfit_rules, "on_misfit");
    if (!word) return std::nullopt;
    return Placed<MisfitRule>{*parse_misfit_rule(word->value), word->place};
  }

  std::optional<Placed<std::string>> read_name(const toml::node& node) {
    auto name = read_text(node, "name");
    if (!name) return std::nullopt;
    const auto refuse = [&](std::string message) -> std::optional<Placed<std::string>> {
      errors_.add(name->place, std::move(message));
      return std::nullopt;
    };
    if (name->value.empty()) return refuse("the name is empty; give one, or leave 'name' out");
    if (name->value.find('\0') != std::string::npos)
      return refuse("the name holds a NUL, which no name in PostgreSQL does; leave it out");
    if (name->value.size() > name_bytes_max) {
      return refuse(fmt::format("the name has {} bytes; PostgreSQL keeps {}, so give a shorter one",
                                name->value.size(), name_bytes_max));
    }
    return name;
  }

  std::optional<Placed<ColumnType>> read_type(const toml::node& node) {
    const auto text = read_text(node, "type");
    if (!text) return std::nullopt;
    if (const auto type = parse_column_type(sql::folded(text->value)))
      return Placed<ColumnType>{*type, text->place};
    errors_.add(text->place,
                fmt::format("unknown type {}; {}", in_quotes(text->value), type_remedy(text->value)));
    return std::nullopt;
  }

  RuleErrors& errors_;
};

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    const int reason = errno;
    const std::string message =
        fmt::format("cannot read the rules file {}: {}", path.string(), std::strerror(reason));
    if (reason == ENOENT) {
      throw NotFoundError(message,
                          "Write one with 'nerve-db convert --write-rules FILE SOURCE', and edit it.");
    }
    throw DeniedError(message, "Give this user the right to read it.");
  }
  std::string text(RulesFile::size_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    throw ValidationError(fmt::format("the rules file {} cannot be read", path.string()),
                          "Name a file, and no folder.");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() <= RulesFile::size_bytes_max) return text;
  throw ValidationError(fmt::format("the rules file {} is larger than 16 MiB", path.string()),
                        "Leave out the columns that need no rule.");
}

}  // namespace

RulesFile read_rules_file(const std::filesystem::path& path, RuleErrors& errors) {
  const std::string text = read_whole(path);
  try {
    return Reader(errors).read(toml::parse(text, path.string()));
  } catch (const toml::parse_error& error) {
    errors.add(place_of(error.source()),
               "not well-formed TOML; the parser says: " + sanitize_for_terminal(error.description()));
    errors.require_none();
    throw;
  }
}

}  // namespace nerve::convert
