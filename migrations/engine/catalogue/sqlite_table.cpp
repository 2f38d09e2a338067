// SPDX-License-Identifier: Apache-2.0
#include "catalogue/sqlite_table.h"

#include "catalogue/create_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace nerve::migrations {

namespace {

using db::SqlToken;

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string name_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += written_name(name, db::Dialect::sqlite);
  }
  return list;
}

constexpr std::string_view deferred = " DEFERRABLE INITIALLY DEFERRED";

std::string foreign_key_definition(const Constraint& key, bool is_deferred) {
  std::string text = fmt::format("FOREIGN KEY ({}) REFERENCES {}", name_list(key.columns),
                                 written_name(key.referral->table, db::Dialect::sqlite));
  if (!key.referral->columns.empty()) text += fmt::format(" ({})", name_list(key.referral->columns));
  if (!key.referral->on_delete.empty()) text += " ON DELETE " + key.referral->on_delete;
  if (!key.referral->on_update.empty()) text += " ON UPDATE " + key.referral->on_update;
  if (is_deferred) text += deferred;
  return text;
}

constexpr std::array<std::string_view, 10> constraint_words{"constraint", "primary",  "not",     "null",
                                                            "unique",     "check",    "default", "collate",
                                                            "references", "generated"};

bool begins_constraint(const SqlToken& token) {
  return token.is("as") || token.is("foreign") ||
         std::ranges::any_of(constraint_words, [&](std::string_view word) { return token.is(word); });
}

/// Reads one element of a table's list: a column with its constraints, or constraints of the table, between
/// which SQLite needs no comma.
class ElementReader {
 public:
  ElementReader(std::string_view sql, const Tokens& tokens, SqliteTable& table)
      : sql_(sql), tokens_(tokens), table_(table) {}

  void read() {
    const bool is_constraint = peek().is("constraint") || peek().is("primary") || peek().is("unique") ||
                               peek().is("check") || peek().is("foreign");
    if (!is_constraint) {
      column_ = stored_name(take());
      table_.columns.push_back({column_, {}, {}});
      while (!is_at_end() && !begins_constraint(peek())) skip();  // the type
    }
    while (!is_at_end()) read_constraint();
  }

 private:
  const SqlToken& peek(std::size_t ahead = 0) const {
    static const SqlToken end;
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : end;
  }
  const SqlToken& take() {
    const SqlToken& token = peek();
    ++at_;
    return token;
  }
  bool is_at_end() const { return at_ >= tokens_.size(); }
  void skip() { at_ = peek().is_symbol('(') ? after_parenthesis(tokens_, at_) : at_ + 1; }
  bool take_if(std::string_view word) {
    if (!peek().is(word)) return false;
    ++at_;
    return true;
  }

  void read_constraint() {
    if (take_if("constraint")) {
      name_ = stored_name(take());
    } else if (take_if("primary")) {
      read_primary_key();
    } else if (take_if("unique")) {
      read_unique();
    } else if (take_if("check")) {
      const std::string expression = take_parentheses();
      add(ConstraintKind::check, {}, "CHECK " + expression + conflict());
    } else if (peek().is("foreign")) {
      at_ += 2;  // FOREIGN KEY
      std::vector<std::string> columns = take_names();
      take_if("references");
      read_reference(std::move(columns));
    } else if (take_if("references")) {
      read_reference({column_});
    } else if (take_if("not")) {
      take_if("null");
      const std::string met = conflict();
      if (!met.empty()) {
        table_.properties.push_back(
            fmt::format("{} NOT NULL{}", written_name(column_, db::Dialect::sqlite), met));
      }
    } else {
      read_column_fact();
    }
  }

  void read_column_fact() {
    if (take_if("collate")) {
      const std::string collation = stored_name(take());
      if (!table_.columns.empty() && !column_.empty()) table_.columns.back().collation = collation;
    } else if (take_if("default")) {
      if (peek().is_symbol('+') || peek().is_symbol('-')) ++at_;
      skip();
    } else if (take_if("as")) {
      std::string expression = take_parentheses();
      if (!table_.columns.empty() && !column_.empty() && expression.size() >= 2) {
        table_.columns.back().generated = expression.substr(1, expression.size() - 2);
      }
    } else {
      skip();  // NULL, GENERATED ALWAYS, STORED, VIRTUAL
    }
  }

  void read_primary_key() {
    take_if("key");
    std::string order;
    std::vector<std::string> columns{column_};
    std::string list = written_name(column_, db::Dialect::sqlite);
    if (column_.empty()) {
      read_key_list(columns, list);
    } else if (take_if("desc")) {
      list += " DESC";
    } else {
      take_if("asc");
    }
    const std::string met = conflict();
    if (take_if("autoincrement")) table_.properties.emplace_back("AUTOINCREMENT");
    add(ConstraintKind::primary_key, std::move(columns), fmt::format("PRIMARY KEY ({}){}", list, met));
  }

  void read_unique() {
    std::vector<std::string> columns{column_};
    std::string list = written_name(column_, db::Dialect::sqlite);
    if (column_.empty()) read_key_list(columns, list);
    add(ConstraintKind::unique, std::move(columns), fmt::format("UNIQUE ({}){}", list, conflict()));
  }

  /// A list of columns with what stands behind them (COLLATE, DESC, and AUTOINCREMENT in a table's key).
  void read_key_list(std::vector<std::string>& columns, std::string& list) {
    columns.clear();
    list.clear();
    if (!peek().is_symbol('(')) return;
    for (const Tokens& element : split_list(tokens_, at_)) {
      if (element.empty()) continue;
      columns.push_back(stored_name(element[0]));
      if (!list.empty()) list += ", ";
      list += written_name(columns.back(), db::Dialect::sqlite);
      for (std::size_t i = 1; i < element.size(); ++i) {
        if (element[i].is("asc")) continue;
        if (element[i].is("autoincrement")) {
          table_.properties.emplace_back("AUTOINCREMENT");
        } else {
          list += ' ' + std::string(element[i].text);
        }
      }
    }
    skip();
  }

  void read_reference(std::vector<std::string> columns) {
    Constraint key;
    key.kind = ConstraintKind::foreign_key;
    key.columns = std::move(columns);
    key.referral.emplace();
    key.referral->table = stored_name(take());
    if (peek().is_symbol('(')) key.referral->columns = take_names();
    bool is_deferred = false;
    for (bool reads = true; reads;) {
      reads = false;
      if (peek().is("on") && (peek(1).is("delete") || peek(1).is("update"))) {
        reads = true;
        const bool is_delete = peek(1).is("delete");
        at_ += 2;
        (is_delete ? key.referral->on_delete : key.referral->on_update) = take_action();
      } else if (take_if("match")) {
        reads = true;
        skip();  // SQLite reads it and does nothing about it
      } else if (peek().is("deferrable") || (peek().is("not") && peek(1).is("deferrable"))) {
        reads = true;
        is_deferred = take_timing();
      }
    }
    key.name = std::exchange(name_, {});
    key.definition = foreign_key_definition(key, is_deferred);
    table_.constraints.push_back(std::move(key));
  }

  std::string take_action() {
    std::string action = to_upper(take().text);
    if (action == "SET" || action == "NO") action += ' ' + to_upper(take().text);
    return action == "NO ACTION" ? std::string() : action;
  }

  /// Whether it is DEFERRABLE INITIALLY DEFERRED, the only one that changes anything.
  bool take_timing() {
    const bool is_negated = take_if("not");
    take_if("deferrable");
    bool is_deferred = false;
    if (take_if("initially")) is_deferred = take().is("deferred");
    return !is_negated && is_deferred;
  }

  std::vector<std::string> take_names() {
    std::vector<std::string> names;
    if (!peek().is_symbol('(')) return names;
    for (const Tokens& element : split_list(tokens_, at_)) {
      if (!element.empty()) names.push_back(stored_name(element[0]));
    }
    skip();
    return names;
  }

  /// The text of an expression with its parentheses.
  std::string take_parentheses() {
    if (!peek().is_symbol('(')) return {};
    const std::size_t begin = peek().offset;
    skip();
    const SqlToken& last = tokens_[at_ - 1];
    return std::string(sql_.substr(begin, last.offset + last.text.size() - begin));
  }

  /// " ON CONFLICT IGNORE"; empty for none and for the usual one.
  std::string conflict() {
    if (!peek().is("on") || !peek(1).is("conflict")) return {};
    at_ += 2;
    const std::string way = to_upper(take().text);
    return way == "ABORT" ? std::string() : " ON CONFLICT " + way;
  }

  void add(ConstraintKind kind, std::vector<std::string> columns, std::string definition) {
    table_.constraints.push_back({kind, std::exchange(name_, {}), std::move(columns), std::move(definition)});
  }

  std::string_view sql_;
  const Tokens& tokens_;
  SqliteTable& table_;
  std::size_t at_ = 0;
  std::string column_;
  std::string name_;
};

}  // namespace

void refer_to(Constraint& key, std::vector<std::string> parent_columns) {
  key.referral->columns = std::move(parent_columns);
  key.definition = foreign_key_definition(key, key.definition.ends_with(deferred));
}

SqliteTable read_sqlite_table(std::string_view sql) {
  SqliteTable table;
  const auto parsed = read_create_table(sql, db::Dialect::sqlite);
  if (!parsed) return table;
  for (const Tokens& definition : parsed->definitions) ElementReader(sql, definition, table).read();
  return table;
}

}  // namespace nerve::migrations
