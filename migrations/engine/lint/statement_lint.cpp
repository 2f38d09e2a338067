// SPDX-License-Identifier: Apache-2.0
#include "lint/statement_lint.h"

#include "catalogue/create_table.h"
#include "catalogue/read_catalogue.h"
#include "lint/alter_table_lint.h"

#include "nerve/db/sql_scanner.h"

#include <algorithm>

namespace nerve::migrations {

namespace {

using db::Dialect;
using db::SqlToken;

/// Finds the hazards of one statement by its first words.
class StatementLint {
 public:
  StatementLint(std::string_view sql, Dialect dialect, OwnTables& own)
      : sql_(sql), tokens_(tokens_of(sql, dialect)), dialect_(dialect), own_(own) {}

  std::vector<Hazard> run() {
    if (peek(0).is("create")) see_create();
    if (peek(0).is("alter") && peek(1).is("table")) see_alter_table();
    if (peek(0).is("alter") && (peek(1).is("view") || peek(1).is("materialized"))) see_alter_view();
    if (peek(0).is("drop")) see_drop();
    if (peek(0).is("truncate")) see_truncate();
    if (peek(0).is("with") || peek(0).is("delete") || peek(0).is("update")) see_change_of_rows();
    if (peek(0).is("replace") || (peek(0).is("insert") && peek(1).is("or") && peek(2).is("replace")))
      see_replace();
    if (dialect_ == Dialect::postgresql) see_maintenance();
    return std::move(hazards_);
  }

 private:
  const SqlToken& peek(std::size_t at) const {
    static const SqlToken end;
    return at < tokens_.size() ? tokens_[at] : end;
  }
  bool mentions(std::string_view word, std::size_t from = 0) const {
    return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(std::min(from, tokens_.size())),
                       tokens_.end(), [&](const SqlToken& token) { return token.is(word); });
  }
  std::string key_of(const SqlToken& name) const {
    return dialect_ == Dialect::sqlite ? folded(stored_name(name)) : name.name();
  }
  bool is_own(const SqlToken& table) const { return own_.contains(key_of(table)); }
  void add(std::string_view rule, const SqlToken& at, std::string subject) {
    hazards_.push_back({rule, at.offset, std::move(subject)});
  }

  void see_create() {
    if (const auto table = read_create_table(sql_, dialect_)) return see_create_table(*table);
    std::size_t at = 1;
    if (peek(at).is("materialized")) ++at;
    if (peek(at).is("view")) {
      // A materialised view that is new has no users yet either.
      own_.insert(key_of(read_name(tokens_, ++at)));
      return;
    }
    if (peek(at).is("unique")) ++at;
    if (peek(at).is("index") && dialect_ == Dialect::postgresql) see_create_index(at + 1);
  }

  void see_create_table(const CreateTable& table) {
    own_.insert(key_of(table.name));
    if (dialect_ == Dialect::postgresql) {
      for (const Tokens& definition : table.definitions) lint_column_type(definition, hazards_);
    }
    if (table.is_temporary || has_key(table)) return;
    add("no-primary-key", table.name, stored_name(table.name));
  }

  /// Whether the table declares a key or takes over that of another.
  static bool has_key(const CreateTable& table) {
    for (const Tokens& definition : table.definitions) {
      for (const SqlToken& token : definition) {
        if (token.is("primary") || token.is("like")) return true;
      }
    }
    return std::ranges::any_of(
        table.rest, [](const SqlToken& token) { return token.is("partition") || token.is("inherits"); });
  }

  void see_create_index(std::size_t at) {
    if (peek(at).is("concurrently")) return;
    while (at < tokens_.size() && !peek(at).is("on")) ++at;
    ++at;
    if (peek(at).is("only")) ++at;
    const SqlToken table = read_name(tokens_, at);
    if (!is_own(table)) add("create-index-blocking", table, stored_name(table));
  }

  void see_alter_table() {
    std::size_t at = 2;
    if (peek(at).is("if")) at += 2;
    if (peek(at).is("only")) ++at;
    const SqlToken table = read_name(tokens_, at);
    if (is_own(table)) {
      // The table goes on under another name.
      const auto renamed = new_table_name(tokens_, at);
      if (renamed.kind != db::SqlTokenKind::end) own_.insert(key_of(renamed));
      return;
    }
    lint_alter_table(tokens_, at, stored_name(table), dialect_, hazards_);
  }

  void see_alter_view() {
    std::size_t at = peek(1).is("view") ? 2 : 3;
    if (peek(at).is("if")) at += 2;
    const SqlToken view = read_name(tokens_, at);
    if (peek(at).is("rename") && peek(at + 1).is("to") && !is_own(view))
      add("rename-table", view, stored_name(view));
  }

  void see_drop() {
    if (peek(1).is("table") || (peek(1).is("materialized") && peek(2).is("view"))) {
      std::size_t at = peek(1).is("table") ? 2 : 3;
      if (peek(at).is("if")) at += 2;
      while (at < tokens_.size()) {
        const SqlToken table = read_name(tokens_, at);
        if (peek(1).is("table") && !is_own(table)) add("drop-table", table, stored_name(table));
        if (!peek(at).is_symbol(',')) break;
        ++at;
      }
    }
    if (peek(1).is("schema")) add("drop-table", peek(1), "a whole schema");
    if (dialect_ == Dialect::postgresql && tokens_.size() > 2 && tokens_.back().is("cascade")) {
      add("drop-cascade", tokens_.back(), "what depends on it");
    }
  }

  void see_truncate() {
    std::size_t at = peek(1).is("table") ? 2 : 1;
    while (at < tokens_.size()) {
      if (peek(at).is("only")) ++at;
      const SqlToken table = read_name(tokens_, at);
      if (!is_own(table)) add("truncate", table, stored_name(table));
      if (!peek(at).is_symbol(',')) break;
      ++at;
    }
  }

  /// DELETE and UPDATE, also behind WITH; what stands in parentheses is another query.
  void see_change_of_rows() {
    std::size_t at = 0;
    while (at < tokens_.size() && !peek(at).is("delete") && !peek(at).is("update")) {
      if (peek(at).is("insert") || peek(at).is("select")) return;
      at = peek(at).is_symbol('(') ? after_parenthesis(tokens_, at) : at + 1;
    }
    if (at >= tokens_.size()) return;
    const bool deletes = peek(at).is("delete");
    ++at;
    if (peek(at).is("from")) ++at;
    if (peek(at).is("or")) at += 2;  // UPDATE OR IGNORE
    if (peek(at).is("only")) ++at;
    const SqlToken table = read_name(tokens_, at);
    for (; at < tokens_.size(); at = peek(at).is_symbol('(') ? after_parenthesis(tokens_, at) : at + 1) {
      if (peek(at).is("where")) return;
    }
    if (!is_own(table)) add(deletes ? "delete-all" : "update-all", table, stored_name(table));
  }

  void see_replace() {
    if (dialect_ != Dialect::sqlite) return;
    std::size_t at = 0;
    while (at < tokens_.size() && !peek(at).is("into")) ++at;
    const SqlToken table = read_name(tokens_, ++at);
    if (!is_own(table)) add("insert-or-replace", peek(0), stored_name(table));
  }

  void see_maintenance() {
    if (peek(0).is("vacuum") && mentions("full", 1)) add("vacuum-full", peek(0), "VACUUM FULL");
    if (peek(0).is("cluster")) add("cluster", peek(0), "CLUSTER");
    if (peek(0).is("lock")) {
      std::size_t at = peek(1).is("table") ? 2 : 1;
      add("lock-table", peek(0), stored_name(read_name(tokens_, at)));
    }
    if (peek(0).is("reindex") && !mentions("concurrently", 1)) add("reindex-blocking", peek(0), "REINDEX");
  }

  std::string_view sql_;
  Tokens tokens_;
  Dialect dialect_;
  OwnTables& own_;
  std::vector<Hazard> hazards_;
};

}  // namespace

std::vector<Hazard> hazards_of(std::string_view statement, Dialect dialect, OwnTables& own) {
  return StatementLint(statement, dialect, own).run();
}

}  // namespace nerve::migrations
