// SPDX-License-Identifier: Apache-2.0
#include "lint/alter_table_lint.h"

#include <algorithm>
#include <array>

namespace nerve::migrations {

namespace {

using db::Dialect;
using db::SqlToken;

/// The actions, as the commas outside of parentheses divide them.
std::vector<Tokens> actions_of(const Tokens& tokens, std::size_t at) {
  std::vector<Tokens> actions(1);
  int depth = 0;
  for (; at < tokens.size(); ++at) {
    if (tokens[at].is_symbol('(')) ++depth;
    if (tokens[at].is_symbol(')')) --depth;
    if (depth == 0 && tokens[at].is_symbol(',')) {
      actions.emplace_back();
    } else {
      actions.back().push_back(tokens[at]);
    }
  }
  return actions;
}

std::size_t find_word(const Tokens& tokens, std::string_view word, std::size_t from = 0) {
  for (; from < tokens.size(); ++from) {
    if (tokens[from].is(word)) break;
  }
  return from;
}

bool has_pair(const Tokens& tokens, std::string_view first, std::string_view second) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].is(first) && tokens[i + 1].is(second)) return true;
  }
  return false;
}

/// Whether a default is another value for each row: it calls a function that is not known to be one value for
/// a statement.
bool is_volatile_default(const Tokens& action) {
  constexpr std::array<std::string_view, 7> stable{
      "now",  "transaction_timestamp", "statement_timestamp", "current_date",
      "cast", "current_timestamp",     "localtimestamp"};
  std::size_t at = find_word(action, "default");
  for (++at; at + 1 < action.size(); ++at) {
    const bool ends = action[at].is("not") || action[at].is("check") || action[at].is("references") ||
                      action[at].is("constraint");
    if (ends) return false;
    const bool calls = action[at].kind == db::SqlTokenKind::word && action[at + 1].is_symbol('(');
    const bool is_stable =
        std::ranges::any_of(stable, [&](std::string_view name) { return action[at].is(name); });
    // A word behind :: or a dot is a type or the schema's function; varchar(3) as a cast is harmless.
    const bool is_type = at > 0 && action[at - 1].is_symbol(':');
    if (calls && !is_stable && !is_type) return true;
  }
  return false;
}

bool is_serial(const SqlToken& type) {
  constexpr std::array<std::string_view, 6> serials{"serial",  "bigserial", "smallserial",
                                                    "serial2", "serial4",   "serial8"};
  return std::ranges::any_of(serials, [&](std::string_view serial) { return type.is(serial); });
}

class ActionLint {
 public:
  ActionLint(const Tokens& action, std::string_view table, Dialect dialect, std::vector<Hazard>& hazards)
      : action_(action), table_(table), dialect_(dialect), hazards_(hazards) {}

  void run() {
    if (peek(0).is("add")) see_add();
    if (peek(0).is("drop")) see_drop();
    if (peek(0).is("rename")) see_rename();
    if (peek(0).is("alter") && dialect_ == Dialect::postgresql) see_alter();
  }

 private:
  const SqlToken& peek(std::size_t at) const { return at_or_end(action_, at); }
  void add(std::string_view rule, std::string subject) {
    hazards_.push_back({rule, peek(0).offset, std::move(subject)});
  }
  std::string column(const SqlToken& name) const { return table_ + "." + stored_name(name); }

  void see_add() {
    if (dialect_ == Dialect::sqlite) return;
    std::size_t at = 1;
    if (peek(at).is("constraint")) at += 2;
    const bool is_key = peek(at).is("unique") || peek(at).is("primary") || peek(at).is("exclude");
    if (is_key || peek(at).is("foreign") || peek(at).is("check")) return see_add_constraint(at, is_key);
    see_add_column();
  }

  void see_add_constraint(std::size_t at, bool is_key) {
    if (has_pair(action_, "not", "valid") || has_pair(action_, "using", "index")) return;
    if (is_key) {
      add("add-unique", table_);
    } else {
      add(peek(at).is("foreign") ? "add-foreign-key" : "add-check", table_);
    }
  }

  void see_add_column() {
    std::size_t at = 1;
    if (peek(at).is("column")) ++at;
    if (peek(at).is("if")) at += 3;  // IF NOT EXISTS
    const Tokens definition(action_.begin() + static_cast<std::ptrdiff_t>(std::min(at, action_.size())),
                            action_.end());
    if (definition.empty()) return;
    const std::string name = column(definition[0]);
    const bool has_default = find_word(definition, "default", 1) < definition.size();
    const bool is_generated = find_word(definition, "generated", 1) < definition.size();
    const bool counts = is_serial(at_or_end(definition, 1));
    if (has_pair(definition, "not", "null") && !has_default && !is_generated && !counts) {
      add("add-column-not-null", name);
    }
    if (is_generated || counts || (has_default && is_volatile_default(definition)))
      add("add-column-rewrite", name);
    if (find_word(definition, "unique", 1) < definition.size() || has_pair(definition, "primary", "key")) {
      add("add-unique", name);
    }
    lint_column_type(definition, hazards_);
  }

  void see_drop() {
    std::size_t at = 1;
    if (peek(at).is("constraint")) return see_cascade();
    if (peek(at).is("column")) ++at;
    if (peek(at).is("if")) at += 2;
    add("drop-column", column(peek(at)));
    see_cascade();
  }

  void see_cascade() {
    if (dialect_ == Dialect::postgresql && !action_.empty() && action_.back().is("cascade")) {
      add("drop-cascade", "what depends on it");
    }
  }

  void see_rename() {
    if (peek(1).is("to")) return add("rename-table", table_);
    if (peek(1).is("constraint")) return;
    add("rename-column", column(peek(peek(1).is("column") ? 2 : 1)));
  }

  void see_alter() {
    const std::size_t at = peek(1).is("column") ? 2 : 1;
    if (peek(at).is("constraint")) return;
    const SqlToken& what = peek(at + 1);
    if (what.is("type") || (what.is("set") && peek(at + 2).is("data")))
      add("alter-column-type", column(peek(at)));
    if (what.is("set") && peek(at + 2).is("not")) add("set-not-null", column(peek(at)));
  }

  const Tokens& action_;
  std::string table_;
  Dialect dialect_;
  std::vector<Hazard>& hazards_;
};

}  // namespace

void lint_alter_table(const Tokens& tokens, std::size_t at, std::string_view table, Dialect dialect,
                      std::vector<Hazard>& hazards) {
  for (const Tokens& action : actions_of(tokens, at)) ActionLint(action, table, dialect, hazards).run();
}

SqlToken new_table_name(const Tokens& tokens, std::size_t at) {
  if (!at_or_end(tokens, at).is("rename") || !at_or_end(tokens, at + 1).is("to")) return {};
  return at_or_end(tokens, at + 2);
}

void lint_column_type(const Tokens& definition, std::vector<Hazard>& hazards) {
  const SqlToken& type = at_or_end(definition, 1);
  if (is_serial(type)) {
    hazards.push_back({"serial", type.offset, stored_name(definition[0])});
  }
  if (!type.is("timestamp")) return;
  const std::size_t next = at_or_end(definition, 2).is_symbol('(') ? after_parenthesis(definition, 2) : 2;
  if (at_or_end(definition, next).is("with")) return;
  hazards.push_back({"timestamp-without-time-zone", type.offset, stored_name(definition[0])});
}

}  // namespace nerve::migrations
