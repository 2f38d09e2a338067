// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/record.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::backups::salvage {

/// A row of sqlite_schema, its text in UTF-8.
struct SchemaEntry {
  std::string type;  ///< "table", "index", "view" or "trigger"
  std::string name;
  std::string table;            ///< that it belongs to; its own name for a table
  std::uint32_t root_page = 0;  ///< 0 for what has no b-tree, and where it is not known
  std::string sql;              ///< empty for the index of a constraint

  bool is_virtual_table() const;
  /// A table or index with a b-tree of its own.
  bool has_tree() const { return (type == "table" && !is_virtual_table()) || type == "index"; }
};

struct Schema {
  std::vector<SchemaEntry> entries;
  bool is_whole = true;  ///< whether every entry could be read, so that each b-tree is known
  std::vector<std::string> notes;

  /// Of the entries, by type and name.
  std::set<std::pair<std::string, std::string>> names;

  /// Adds an entry unless one of its type and name is there; whether it was added.
  bool add(SchemaEntry entry);
};

/// Text of the file as UTF-8; ill-formed UTF-16 becomes U+FFFD.
std::string text_of(const Value& value, sqlite::TextEncoding encoding);

/// The entry that a record is; nothing where it is none.
std::optional<SchemaEntry> schema_entry_of(const Record& record, sqlite::TextEncoding encoding);

/// Reads sqlite_schema from page 1 on and marks its pages as walked. Where a page of it is lost, its entries
/// are also looked for on pages that nothing leads to.
Schema read_schema(const PageSource& source, PageMap& map);

/// Adds the entries of the sound database `path` that `schema` lacks, and where each has its b-tree there.
/// Throws what sqlite::Session throws.
void add_schema_of(const std::filesystem::path& path, Schema& schema);

}  // namespace nerve::backups::salvage
