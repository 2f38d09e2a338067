// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/migrations/migration.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// Watches over the rebuild of tables on SQLite: what the migration does not mention must be as before.
///
/// The transaction was begun with foreign keys off (TransactionOptions). At the end the indexes and triggers
/// of the rebuilt tables that went with the old ones are put back, AUTOINCREMENT goes on where it was, and
/// all of these are compared with the beginning: the rows of the rebuilt tables and of every table that
/// refers to them, directly or not; rows without parent; views that could be read. Source:
/// https://www.sqlite.org/lang_altertable.html#otheralter, and what it leaves out.
class TableRebuild {
 public:
  /// Notes how things are. Throws NotFoundError for a table that is not there.
  TableRebuild(db::Transaction& transaction, const Migration& migration, Direction direction);

  /// Puts back and compares. Throws IntegrityError that says what would be lost; the caller rolls back.
  void finish();

 private:
  struct Attached {
    std::string type;
    std::string name;
    std::string table;
    std::string sql;
  };

  void note_family(const std::string& table);
  void note_attached(const std::string& table);
  std::map<std::string, std::int64_t> count_rows();
  std::map<std::string, std::int64_t> count_orphans();
  std::set<std::string> readable_views();
  void put_back();
  void compare_rows();
  void compare_orphans();
  void compare_views();

  db::Transaction& transaction_;
  const Migration& migration_;
  std::set<std::string> mentioned_;  // names in the migration, lower case
  std::set<std::string> family_;     // the rebuilt tables and all that refer to them
  std::vector<Attached> attached_;
  std::map<std::string, std::int64_t> rows_;
  std::map<std::string, std::int64_t> orphans_;
  std::map<std::string, std::int64_t> sequences_;
  std::set<std::string> views_;
};

/// Throws ValidationError when the statement drops a table of SQLite that rows of other tables refer to: with
/// foreign keys enforced that would delete or orphan them. PostgreSQL refuses it by itself.
void require_no_child_rows(db::Transaction& transaction, std::string_view statement);

}  // namespace nerve::migrations
