// SPDX-License-Identifier: Apache-2.0
#include "salvage/schema_entries.h"

#include "salvage/tree_walk.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace nerve::backups::salvage {
namespace {

constexpr std::size_t schema_columns = 5;
constexpr std::array<std::string_view, 4> object_types = {"table", "index", "view", "trigger"};

void append_code_point(std::string& text, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3fU));
  } else if (code_point < 0x10000) {
    put(0xe0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3fU));
    put(0x80U | (code_point & 0x3fU));
  } else {
    put(0xf0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3fU));
    put(0x80U | (code_point >> 6U & 0x3fU));
    put(0x80U | (code_point & 0x3fU));
  }
}

std::string utf8_from_utf16(ByteView octets, bool is_big_endian) {
  constexpr std::uint32_t replacement = 0xfffd;
  const auto unit = [&](std::size_t offset) {
    const auto first = std::to_integer<std::uint32_t>(octets[offset]);
    const auto second = std::to_integer<std::uint32_t>(octets[offset + 1]);
    return is_big_endian ? first << 8U | second : second << 8U | first;
  };
  std::string text;
  for (std::size_t offset = 0; offset + 2 <= octets.size(); offset += 2) {
    std::uint32_t code_point = unit(offset);
    const bool is_high = (code_point & 0xfc00U) == 0xd800;
    if (is_high && offset + 4 <= octets.size() && (unit(offset + 2) & 0xfc00U) == 0xdc00) {
      code_point = 0x10000 + ((code_point & 0x3ffU) << 10U | (unit(offset + 2) & 0x3ffU));
      offset += 2;
    } else if ((code_point & 0xf800U) == 0xd800) {
      code_point = replacement;
    }
    append_code_point(text, code_point);
  }
  return text;
}

bool is_text(const Value& value) {
  return value.type == sqlite::StorageClass::text;
}

bool begins_with_create(std::string_view sql) {
  constexpr std::string_view word = "CREATE ";
  return sql.size() > word.size() &&
         std::ranges::equal(sql.substr(0, word.size()), word,
                            [](char left, char right) { return (left & ~0x20) == (right & ~0x20); });
}

/// The entries on a page that holds nothing else; empty where it holds anything else.
std::vector<SchemaEntry> entries_on(const PageSource& source, PageMap& map, std::uint32_t number,
                                    Bytes& bytes) {
  std::vector<SchemaEntry> entries;
  const std::optional<TreePage> page = recognise_tree_page(bytes, source.bounds(number));
  if (!page || !page->is_leaf || page->family != Family::table) return entries;
  PayloadReader payloads(source, map, PayloadReader::Rows::in_use);
  for (const Cell& cell : page->cells) {
    const Payload payload = payloads.read(bytes, cell);
    const std::optional<Record> record =
        payload.state == PayloadState::whole ? read_record(payload.octets) : std::nullopt;
    std::optional<SchemaEntry> entry =
        record ? schema_entry_of(*record, source.layout().encoding) : std::nullopt;
    if (!entry) return {};
    entries.push_back(std::move(*entry));
  }
  return entries;
}

void look_for_entries(const PageSource& source, PageMap& map, Schema& schema) {
  Bytes bytes;
  std::uint64_t found_pages = 0;
  for (std::uint32_t number = 2; number <= source.page_count(); ++number) {
    throw_if_interrupted();
    const bool is_unused = map.is_free_list_whole && map.has(number, PageMap::unused);
    if (is_unused || map.has(number, PageMap::walked) || !source.read(number, bytes)) continue;
    std::vector<SchemaEntry> entries = entries_on(source, map, number, bytes);
    if (entries.empty()) continue;
    map.set(number, PageMap::walked);
    ++found_pages;
    for (SchemaEntry& entry : entries) schema.add(std::move(entry));
  }
  if (found_pages > 0) {
    schema.notes.push_back(fmt::format(
        "{} pages of the schema were found that nothing led to; they may hold older entries", found_pages));
  }
}

}  // namespace

bool SchemaEntry::is_virtual_table() const {
  constexpr std::string_view word = "CREATE VIRTUAL";
  return type == "table" && sql.size() > word.size() && begins_with_create(sql) &&
         std::ranges::equal(std::string_view(sql).substr(0, word.size()), word,
                            [](char left, char right) { return (left & ~0x20) == (right & ~0x20); });
}

bool Schema::add(SchemaEntry entry) {
  if (!names.emplace(entry.type, entry.name).second) return false;
  entries.push_back(std::move(entry));
  return true;
}

std::string text_of(const Value& value, sqlite::TextEncoding encoding) {
  switch (encoding) {
    case sqlite::TextEncoding::utf16_little_endian:
      return utf8_from_utf16(value.octets, false);
    case sqlite::TextEncoding::utf16_big_endian:
      return utf8_from_utf16(value.octets, true);
    default:
      return std::string(as_text(value.octets));
  }
}

std::optional<SchemaEntry> schema_entry_of(const Record& record, sqlite::TextEncoding encoding) {
  if (record.size() != schema_columns || !is_text(record[0]) || !is_text(record[1]) || !is_text(record[2])) {
    return std::nullopt;
  }
  SchemaEntry entry;
  entry.type = text_of(record[0], encoding);
  entry.name = text_of(record[1], encoding);
  entry.table = text_of(record[2], encoding);
  if (is_text(record[4])) entry.sql = text_of(record[4], encoding);
  const bool is_known = std::ranges::find(object_types, entry.type) != object_types.end();
  const bool has_sql = is_text(record[4])
                           ? begins_with_create(entry.sql)
                           : entry.type == "index" && record[4].type == sqlite::StorageClass::null;
  const bool has_nul = (entry.name + entry.table + entry.sql).find('\0') != std::string::npos;
  if (!is_known || !has_sql || has_nul || entry.name.empty()) return std::nullopt;
  const std::int64_t root = record[3].type == sqlite::StorageClass::integer ? record[3].integer : 0;
  if (root > 0 && root <= std::numeric_limits<std::uint32_t>::max()) {
    entry.root_page = static_cast<std::uint32_t>(root);
  }
  return entry;
}

Schema read_schema(const PageSource& source, PageMap& map) {
  Schema schema;
  // On a map of its own: a page that damage makes the schema lead to may belong to a table.
  PageMap tried = map;
  TreeLosses losses;
  std::set<std::uint32_t> pages = {1};
  std::uint64_t other_rows = 0;
  TreeWalk walk(source, tried, Family::table, losses, [&](const TreeRow& row) {
    std::optional<SchemaEntry> entry = row.doubt == Doubt::none || row.doubt == Doubt::key_out_of_order
                                           ? schema_entry_of(row.record, source.layout().encoding)
                                           : std::nullopt;
    if (!entry) {
      ++other_rows;
      return;
    }
    pages.insert(row.page);
    schema.add(std::move(*entry));
  });
  walk.walk(1, {}, TreeWalk::Shared::take);
  for (const std::uint32_t page : pages) {
    if (source.is_page(page)) map.set(page, PageMap::walked);
  }
  schema.is_whole = losses.lost_pages.total == 0 && losses.damaged_pages.total == 0 &&
                    losses.broken_cells == 0 && other_rows == 0;
  if (!schema.is_whole) look_for_entries(source, map, schema);
  return schema;
}

void add_schema_of(const std::filesystem::path& path, Schema& schema) {
  std::set<std::uint32_t> taken;
  std::map<std::string, std::string> statements;
  for (const SchemaEntry& entry : schema.entries) {
    taken.insert(entry.root_page);
    statements.emplace(entry.type + " " + entry.name, entry.sql);
  }
  sqlite::Session session(path);
  std::size_t added = 0;
  session.each(
      "SELECT type, name, tbl_name, rootpage, coalesce(sql, '') FROM sqlite_schema ORDER BY rowid",
      [&](const sqlite::Row& row) {
        SchemaEntry entry{std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)),
                          static_cast<std::uint32_t>(row.integer(3)), std::string(row.text(4))};
        // A page that an entry of the damaged database claims is its own.
        if (taken.contains(entry.root_page)) entry.root_page = 0;
        const std::string name = entry.type + " " + entry.name;
        const std::string sql = entry.sql;
        if (schema.add(std::move(entry))) {
          ++added;
        } else if (const auto own = statements.find(name); own != statements.end() && own->second != sql) {
          schema.notes.push_back(
              fmt::format("the statement of {} is another one in {}", name, path.string()));
        }
      });
  if (added > 0)
    schema.notes.push_back(fmt::format("{} entries of the schema come from {}", added, path.string()));
}

}  // namespace nerve::backups::salvage
