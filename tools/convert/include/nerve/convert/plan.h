// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/column_type.h"
#include "nerve/convert/profile.h"
#include "nerve/core/json.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert {

/// What becomes of a value that its column cannot hold.
enum class OnMisfit : std::uint8_t {
  reject,  ///< its row is left out and goes to the rejects file
  null,    ///< NULL is stored instead, and the row goes to the rejects file as well
  fail,    ///< the conversion ends
};

std::string_view to_string(OnMisfit policy) noexcept;

/// An object of the source that has no equal in the target, or not the whole of it.
struct Untranslated {
  std::string kind;   ///< "trigger", "view", "index", "check", "default", "foreign key", "table", …
  std::string name;   ///< of the object, or of its column
  std::string table;  ///< that it belongs to; empty for what stands by itself
  std::string reason;
  std::string text;  ///< as SQLite has it
};

struct ColumnPlan {
  std::string source;    ///< its name in SQLite
  std::string target;    ///< its name in PostgreSQL
  std::string declared;  ///< its declared type in SQLite
  ColumnType type;
  std::string why;  ///< the reason for the type, for people
  OnMisfit on_misfit = OnMisfit::reject;
  bool is_not_null = false;
  bool is_loaded = true;           ///< false for one that PostgreSQL computes
  bool has_storable_text = false;  ///< every text is known to be UTF-8 without NUL
  std::int64_t misfits = 0;        ///< values that cannot be stored as planned
  std::int64_t changed = 0;        ///< values that are stored as another storage class
  std::string definition;          ///< behind the name in CREATE TABLE: "bigint NOT NULL DEFAULT 0"
  /// The same without the expression of a default or a computed column, for a server that refuses it; the
  /// column is loaded then.
  struct Plain {
    std::string definition;
    Untranslated object;  ///< what is lost; the reason is that of the refusal
    std::string note;     ///< one of the plan's that is not true then, or empty
  };
  std::optional<Plain> plain;  ///< absent where there is no expression
};

/// A statement that is run when the rows it needs are there. The server may refuse it for what the rows are;
/// then it is told as an object without an equal, and the conversion goes on.
struct Step {
  Untranslated object;  ///< what it makes; the reason is that of a refusal
  std::string sql;
  bool needs_previous = false;  ///< it is left out where the step before it was refused
  bool locks_table = false;     ///< no other step of its table can be run beside it
  bool only_reads = false;      ///< it looks at rows that are there, and may be run while others do
  bool joins_by_sort = false;   ///< it joins rows that are sorted in less time than hashed
  bool sorts_in_cache = false;  ///< it sorts rows in less time with as much memory as a processor's cache has

  /// "index album_by_artist of album".
  std::string name() const;
};

struct TablePlan {
  std::string source;
  std::string target;
  std::string rowid;  ///< the name by which SQLite gives its rowid; empty where it has none
  std::vector<ColumnPlan> columns;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::vector<std::int64_t> range_starts;
  std::vector<Step> after_load;       ///< keys and indexes
  std::vector<std::size_t> previous;  ///< places of the tables that are to be loaded before

  std::int64_t misfits() const noexcept;
};

struct Plan {
  std::filesystem::path source;
  std::string schema;      ///< of the target
  bool appends = false;    ///< rows alone, to tables that are there
  bool folds_case = true;  ///< letters A to Z of names became lower case, but of those that a rule gave
  std::vector<TablePlan> tables;
  std::vector<Step> at_end;  ///< constraints between tables, identities, views; in this order
  std::vector<Untranslated> untranslated;
  std::vector<std::string> notes;  ///< what is worth knowing and loses nothing
};

/// Rows whose foreign key names no row. The constraint is made, and holds for rows to come.
struct Orphans {
  std::string table;  ///< of the source
  std::vector<std::string> columns;
  std::string parent;
  std::int64_t rows = 0;
  std::optional<std::int64_t> first_rowid;  ///< of one of them; absent where the table has none
};

/// What is to be expected of a conversion beside its plan.
struct Forecast {
  std::vector<Orphans> orphans;
  /// Check, scan, load and comparison, if the server is on this machine or one like it; from the time that
  /// check and scan took.
  std::chrono::milliseconds duration{0};
};

/// docs/converting.md names the fields.
Json to_json(const Forecast& forecast);
Json to_json(const std::vector<Untranslated>& objects);
Json to_json(const Plan& plan);

}  // namespace nerve::convert
