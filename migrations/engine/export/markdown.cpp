// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/schema_export.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::migrations {

namespace {

/// Text that no character of it can turn into structure, inside a table's cell as well.
std::string escaped(std::string_view text) {
  constexpr std::string_view special = "\\`*_{}[]<>()#+-.!|&~";
  std::string safe;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      safe += ' ';
    } else {
      const bool is_word_hyphen =
          c == '-' || c == '.' || c == '_' || c == '(' || c == ')' || c == '+' || c == '!';
      if (special.find(c) != std::string_view::npos && !is_word_hyphen) safe += '\\';
      safe += c;
    }
  }
  return safe;
}

/// A span of code: inside it only backticks, line breaks and, in a table, the bar mean anything.
std::string code(std::string_view text) {
  if (text.empty()) return {};
  std::size_t run = 0;
  std::size_t longest = 0;
  std::string inside;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (c == '|') inside += '\\';
    inside += c == '\n' || c == '\r' ? ' ' : c;
  }
  const std::string fence(longest + 1, '`');
  const bool needs_space = inside.front() == '`' || inside.back() == '`';
  return needs_space ? fence + ' ' + inside + ' ' + fence : fence + inside + fence;
}

std::string codes(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + code(name);
  return list;
}

class MarkdownWriter {
 public:
  MarkdownWriter(const Catalogue& catalogue, const FactsByTable& facts)
      : catalogue_(catalogue), facts_(facts) {}

  std::string write(std::string_view title) {
    text_ = fmt::format("# {}\n\n", escaped(title));
    write_contents();
    for (const Object& object : catalogue_.objects) {
      if (object.kind == ObjectKind::table) write_table(object);
    }
    for (const Object& object : catalogue_.objects) {
      if (object.kind == ObjectKind::view || object.kind == ObjectKind::materialized_view) write_view(object);
    }
    write_others(ObjectKind::type, "Types");
    write_others(ObjectKind::sequence, "Sequences");
    write_others(ObjectKind::function, "Functions");
    return std::move(text_);
  }

 private:
  void write_contents() {
    text_ +=
        fmt::format("{} tables, {} views, {} indexes, {} triggers.\n\n", catalogue_.count(ObjectKind::table),
                    catalogue_.count(ObjectKind::view) + catalogue_.count(ObjectKind::materialized_view),
                    catalogue_.count(ObjectKind::index), catalogue_.count(ObjectKind::trigger));
  }

  const TableFacts* facts_of(const Object& table) const {
    const auto found = facts_.find(table.name);
    return found == facts_.end() ? nullptr : &found->second;
  }

  void write_facts(const TableFacts& facts) {
    if (!facts.description.empty()) text_ += escaped(facts.description) + "\n\n";
    const auto add = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) text_ += fmt::format("- {}: {}\n", name, value);
    };
    add("Module", escaped(facts.module));
    add("Classification", escaped(facts.classification));
    add("Retention", escaped(facts.retention));
    add("Personal columns", codes(facts.personal_columns));
    add("Sealed columns", codes(facts.sealed_columns));
    if (!text_.ends_with("\n\n")) text_ += '\n';
  }

  static std::string facts_of_column(const Column& column, const Object& table, const TableFacts* facts) {
    std::vector<std::string> words;
    if (column.key_position > 0) words.emplace_back("key");
    if (column.is_not_null) words.emplace_back("not null");
    for (const Constraint& constraint : table.constraints) {
      if (constraint.kind == ConstraintKind::unique && constraint.columns == std::vector{column.name})
        words.emplace_back("unique");
    }
    if (!column.collation.empty()) words.push_back("collate " + code(column.collation));
    if (!column.identity.empty()) words.emplace_back("identity");
    if (!column.generated.empty()) words.push_back("generated " + code(column.generated));
    if (facts != nullptr) {
      const auto has = [&](const std::vector<std::string>& names) {
        return std::ranges::find(names, column.name) != names.end();
      };
      if (has(facts->personal_columns)) words.emplace_back("personal");
      if (has(facts->sealed_columns)) words.emplace_back("sealed");
    }
    return fmt::format("{}", fmt::join(words, ", "));
  }

  void write_columns(const Object& object) {
    if (object.columns.empty()) return;
    const TableFacts* facts = facts_of(object);
    text_ += "| Column | Type | Default | |\n|---|---|---|---|\n";
    for (const Column& column : object.columns) {
      text_ += fmt::format("| {} | {} | {} | {} |\n", code(column.name), code(column.type),
                           code(column.default_value.value_or("")), facts_of_column(column, object, facts));
    }
    text_ += '\n';
  }

  void write_table(const Object& table) {
    text_ += fmt::format("## {}\n\n", code(table.name));
    if (const TableFacts* facts = facts_of(table); facts != nullptr) write_facts(*facts);
    if (!table.properties.empty()) text_ += codes(table.properties) + "\n\n";
    write_columns(table);
    std::vector<std::string> lines;
    note_constraints(table, lines);
    note_children(table, lines);
    note_attached(table, lines);
    for (const std::string& line : lines) text_ += "- " + line + '\n';
    if (!lines.empty()) text_ += '\n';
  }

  static void note_constraints(const Object& table, std::vector<std::string>& lines) {
    for (const Constraint& constraint : table.constraints) {
      if (constraint.kind == ConstraintKind::foreign_key) {
        std::string actions;
        if (!constraint.referral->on_delete.empty())
          actions += ", on delete " + constraint.referral->on_delete;
        if (!constraint.referral->on_update.empty())
          actions += ", on update " + constraint.referral->on_update;
        lines.push_back(fmt::format("References: {} → {} ({}){}", codes(constraint.columns),
                                    code(constraint.referral->table), codes(constraint.referral->columns),
                                    actions));
      } else if (constraint.kind == ConstraintKind::primary_key) {
        lines.push_back("Primary key: " + codes(constraint.columns));
      } else if (constraint.kind == ConstraintKind::unique) {
        lines.push_back("Unique: " + codes(constraint.columns));
      } else {
        lines.push_back(fmt::format("{}: {}",
                                    constraint.kind == ConstraintKind::check ? "Check" : "Exclusion",
                                    code(constraint.definition)));
      }
    }
  }

  void note_children(const Object& table, std::vector<std::string>& lines) const {
    for (const Object& child : catalogue_.objects) {
      for (const Constraint& constraint : child.constraints) {
        if (!constraint.referral || catalogue_.find(ObjectKind::table, constraint.referral->table) != &table)
          continue;
        lines.push_back(fmt::format("Referenced by: {} ({})", code(child.name), codes(constraint.columns)));
      }
    }
  }

  void note_attached(const Object& table, std::vector<std::string>& lines) const {
    for (const Object& object : catalogue_.objects) {
      if (object.table.empty() || catalogue_.find(ObjectKind::table, object.table) != &table) continue;
      if (object.kind == ObjectKind::index) {
        lines.push_back(fmt::format(
            "{}: {} on {}{}", object.has_property("UNIQUE") ? "Unique index" : "Index", code(object.name),
            codes(object.keys), object.has_property("PARTIAL") ? ", partial" : ""));
      } else if (object.kind == ObjectKind::trigger || object.kind == ObjectKind::policy ||
                 object.kind == ObjectKind::rule) {
        std::string kind(to_string(object.kind));
        kind[0] = static_cast<char>(kind[0] - 'a' + 'A');
        lines.push_back(fmt::format("{}: {}", kind, code(object.name)));
      }
    }
  }

  void write_view(const Object& view) {
    text_ += fmt::format("## {} ({})\n\n", code(view.name), to_string(view.kind));
    if (const TableFacts* facts = facts_of(view); facts != nullptr) write_facts(*facts);
    write_columns(view);
  }

  void write_others(ObjectKind kind, std::string_view heading) {
    if (catalogue_.count(kind) == 0) return;
    text_ += fmt::format("## {}\n\n", heading);
    for (const Object& object : catalogue_.objects) {
      if (object.kind == kind) text_ += "- " + code(object.name) + '\n';
    }
    text_ += '\n';
  }

  const Catalogue& catalogue_;
  const FactsByTable& facts_;
  std::string text_;
};

}  // namespace

std::string to_markdown(const Catalogue& catalogue, std::string_view title, const FactsByTable& facts) {
  std::string text = MarkdownWriter(catalogue, facts).write(title);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace nerve::migrations
