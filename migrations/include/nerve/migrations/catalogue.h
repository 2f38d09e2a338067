// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/migrations/ledger.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// What a schema is made of. On SQLite there are tables, indexes, views and triggers only.
enum class ObjectKind : std::uint8_t {
  type,  ///< an enum, domain, composite or range type
  sequence,
  function,  ///< or procedure, or aggregate; its name holds the types of its arguments
  table,
  view,
  materialized_view,
  index,  ///< those that a constraint brings with it are none of their own
  trigger,
  policy,  ///< of row-level security
  rule,
  statistics,  ///< of CREATE STATISTICS
};

/// "table", "materialized view" …
std::string_view to_string(ObjectKind kind) noexcept;

/// A column of a table or view. Expressions and types are as the engine says them.
struct Column {
  std::string name;
  std::string type;  ///< may be empty on SQLite
  bool is_not_null = false;
  std::optional<std::string> default_value = std::nullopt;  ///< an expression
  std::string generated = {};                               ///< the expression; empty for an ordinary column
  bool is_stored = false;      ///< whether a generated column is kept in the table
  std::string identity = {};   ///< "ALWAYS" or "BY DEFAULT", and what differs from the usual; PostgreSQL
  std::string collation = {};  ///< where it is not the usual one
  int key_position = 0;        ///< in the primary key, from 1; 0: not in it
  bool is_hidden = false;      ///< of a virtual table
};

enum class ConstraintKind : std::uint8_t { primary_key, unique, check, foreign_key, exclusion };

/// "primary key", "unique", "check", "foreign key" or "exclusion".
std::string_view to_string(ConstraintKind kind) noexcept;

/// Columns that refer to those of another table.
struct Referral {
  std::string table;
  std::vector<std::string> columns;  ///< empty: the parent is not there, and its primary key is meant
  std::string on_delete = {};        ///< "CASCADE", "SET NULL" …; empty for NO ACTION
  std::string on_update = {};
};

struct Constraint {
  ConstraintKind kind = ConstraintKind::check;
  std::string name;                  ///< empty where SQLite's author gave none
  std::vector<std::string> columns;  ///< in the order of the key; empty for a check on SQLite
  std::string definition;            ///< "FOREIGN KEY (team) REFERENCES teams (id) ON DELETE CASCADE"
  std::optional<Referral> referral = std::nullopt;  ///< of a foreign key
};

/// One object of a schema. What does not concern its kind is empty.
struct Object {
  ObjectKind kind = ObjectKind::table;
  std::string name;
  std::string table =
      {};  ///< whose index, trigger, policy, rule or statistics it is; the owner of a sequence
  std::string definition = {};  ///< the SQL that makes it, without semicolon
  std::vector<Column> columns = {};
  std::vector<Constraint> constraints = {};
  /// Of a table: "STRICT", "WITHOUT ROWID", "AUTOINCREMENT", "VIRTUAL", "UNLOGGED", "ROW LEVEL SECURITY" …;
  /// of an index "UNIQUE", "PARTIAL", "INVALID"; of a trigger "DISABLED", "ALWAYS" …
  std::vector<std::string> properties = {};
  std::vector<std::string> keys = {};         ///< of an index: columns and expressions in their order
  std::string parent = {};                    ///< of a partition: the partitioned table
  std::int64_t id = 0;                        ///< the engine's, within this reading
  std::vector<std::int64_t> depends_on = {};  ///< ids of what must be there first; PostgreSQL

  bool has_property(std::string_view property) const noexcept;
  const Column* find_column(std::string_view name) const noexcept;
  const Constraint* primary_key() const noexcept;
  /// "table users", "trigger touch on users": what decisions about drift name it by.
  std::string title() const;
};

/// What a database's schema is: on PostgreSQL the current schema of the transaction's search_path.
///
/// Left out are SQLite's own and shadow tables, what belongs to an extension, the ledger's two tables, and
/// what is no part of how a schema works: owners, grants, comments, tablespaces, physical settings of
/// columns. A value; it holds no data of the tables.
struct Catalogue {
  db::Dialect dialect = db::Dialect::sqlite;
  std::string schema;                   ///< PostgreSQL's; "main" on SQLite
  std::vector<Object> objects;          ///< by kind, table and name
  std::vector<std::string> extensions;  ///< of the database; PostgreSQL

  /// Names of SQLite are found however they are spelt in ASCII. The first of its table's, where `table` is
  /// empty.
  const Object* find(ObjectKind kind, std::string_view name, std::string_view table = {}) const;
  /// A table or view, also a materialized one: what a query can read.
  const Object* find_relation(std::string_view name) const;
  std::size_t count(ObjectKind kind) const noexcept;
};

/// Reads it in the transaction, which may be a reading one. Throws NotFoundError where PostgreSQL's
/// search_path names no schema that is there.
Catalogue read_catalogue(db::Transaction& transaction, const Ledger& ledger = Ledger());

/// One statement about an object, by which two of them are compared; the case of keywords, spaces, quotes and
/// comments is taken out of account.
struct ObjectPart {
  std::string
      key;  ///< names the part: two objects are alike where each has the same texts under the same keys
  std::string label;  ///< the same for people: "column Email"
  std::string text;   ///< what it is: "varchar(255) not null"
};

/// The parts of an object, sorted by key, each key once. The order of columns is none of them, nor on SQLite
/// are the names of constraints.
std::vector<ObjectPart> parts_of(const Object& object, db::Dialect dialect);

/// SHA-256 of the parts, in hexadecimal: the same for two objects that work alike.
std::string fingerprint(const Object& object, db::Dialect dialect);

}  // namespace nerve::migrations
