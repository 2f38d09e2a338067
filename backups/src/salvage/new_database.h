// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/layout.h"
#include "salvage/schema_entries.h"
#include "salvage/table_shape.h"

#include "nerve/backends/sqlite/session.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3_stmt;

namespace nerve::backups::salvage {

struct FinalizeStatement {
  void operator()(::sqlite3_stmt* statement) const noexcept;
};
using StatementHandle = std::unique_ptr<::sqlite3_stmt, FinalizeStatement>;

/// The database that is written to. Commits from time to time, so that what SQLite keeps in memory for a
/// rollback stays small, and leaves no companion files whenever it is aborted.
class NewDatabase {
 public:
  /// Lays the empty file `path` out as `layout` has it.
  NewDatabase(const std::filesystem::path& path, const Layout& layout);

  sqlite::Session& session() noexcept { return session_; }
  sqlite::TextEncoding encoding() const noexcept { return encoding_; }

  /// Runs the statement of an entry of the schema. Nothing but the object that the entry names can come of
  /// it, whatever the statement says. What SQLite has against it, or nothing when it was made.
  std::optional<std::string> create(const SchemaEntry& entry);
  /// Writes the entry of a virtual table without its module being asked, so that it needs not be there.
  std::optional<std::string> create_virtual_table(const SchemaEntry& entry);

  StatementHandle prepare(const std::string& sql);
  /// Binds a value at a place from 1 on. It is borrowed until the statement is reset.
  void bind(::sqlite3_stmt* statement, int place, const Value& value);
  /// Runs a statement that gives no rows. False where a constraint or a type refuses the values, with
  /// the name of the code in `refusal`; other failures are thrown.
  bool run(::sqlite3_stmt* statement, std::string& refusal);

  /// To be called after each row.
  void note_row(std::uint64_t size_bytes);

  /// Sets what the header keeps and commits. Nothing may be written after.
  void finish(const Layout& layout);

 private:
  [[noreturn]] void fail(int code, std::string_view what);

  sqlite::Session session_;
  std::filesystem::path path_;
  sqlite::TextEncoding encoding_;
  std::uint64_t uncommitted_rows_ = 0;
  std::uint64_t uncommitted_bytes_ = 0;
};

}  // namespace nerve::backups::salvage
