// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/content.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/stand_ins.h"
#include "nerve/core/bytes.h"
#include "nerve/core/progress.h"
#include "nerve/crypto/hash.h"

#include <algorithm>
#include <bit>

namespace nerve::sqlite {

namespace {

/// The encoding of docs/content_digest.md, gathered in blocks before it is hashed.
class DigestWriter {
 public:
  explicit DigestWriter(std::string_view format) { text(format); }

  void count(std::uint64_t value) {
    constexpr int bits = 64;
    for (int shift = bits - 8; shift >= 0; shift -= 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void text(std::string_view value) { octets(as_bytes(value)); }
  void octets(ByteView value) {
    count(value.size());
    if (value.size() >= block_bytes) {
      flush();
      hash_.update(value);
    } else {
      block_.insert(block_.end(), value.begin(), value.end());
      if (block_.size() >= block_bytes) flush();
    }
  }
  void byte(std::uint8_t value) { block_.push_back(static_cast<std::byte>(value)); }

  void cell(const Row& row, int column) {
    const StorageClass storage = row.storage_class(column);
    byte(static_cast<std::uint8_t>(storage));
    switch (storage) {
      case StorageClass::null:
        break;
      case StorageClass::integer:
        count(static_cast<std::uint64_t>(row.integer(column)));
        break;
      case StorageClass::real:
        count(std::bit_cast<std::uint64_t>(row.real(column)));
        break;
      case StorageClass::text:
        text(row.text(column));
        break;
      case StorageClass::blob:
        octets(row.blob(column));
        break;
    }
  }

  crypto::Sha256Digest finish() {
    flush();
    return hash_.finish();
  }

 private:
  static constexpr std::size_t block_bytes = 64 * 1024;

  void flush() {
    hash_.update(block_);
    block_.clear();
  }

  crypto::Sha256 hash_;
  Bytes block_;
};

// The tags of a cell are the values of StorageClass: a new order of these would change every digest.
static_assert(static_cast<int>(StorageClass::null) == 0 && static_cast<int>(StorageClass::integer) == 1 &&
              static_cast<int>(StorageClass::real) == 2 && static_cast<int>(StorageClass::text) == 3 &&
              static_cast<int>(StorageClass::blob) == 4);

constexpr std::string_view table_format = "nerve content digest 1: table";
constexpr std::string_view database_format = "nerve content digest 1: database";

/// The columns that are hashed, as a list for SELECT, and the order of the rows.
struct RowQuery {
  std::vector<std::string> columns;
  std::string sql;
  bool has_rowid = false;
};

std::string join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : ", ") + part;
  return joined;
}

/// Compares as memcmp() does, whatever collation the column declares, which this program may not know.
std::string in_binary_order(const std::string& quoted) {
  return quoted + " COLLATE BINARY";
}

std::vector<std::string> key_order(const Table& table) {
  std::vector<Column> key;
  std::ranges::copy_if(table.columns, std::back_inserter(key),
                       [](const Column& column) { return column.primary_key_position > 0; });
  std::ranges::sort(key, {}, &Column::primary_key_position);
  std::vector<std::string> order;
  order.reserve(key.size());
  for (const Column& column : key) order.push_back(in_binary_order(quote_identifier(column.name)));
  return order;
}

RowQuery query_rows(const Table& table) {
  RowQuery query;
  std::vector<std::string> selected;
  std::vector<std::string> order;
  const std::string rowid = rowid_name(table);
  query.has_rowid = !rowid.empty();
  if (query.has_rowid) {
    selected.push_back(rowid);
    order.push_back(rowid);
  } else if (table.is_without_rowid) {
    order = key_order(table);
  }
  for (const Column& column : table.columns) {
    if (!column.is_stored) continue;
    const std::string quoted = quote_identifier(column.name);
    query.columns.push_back(column.name);
    selected.push_back(quoted);
    if (!query.has_rowid && !table.is_without_rowid) {
      // Equal in this order are only rows that are equal in every byte: 1 and 1.0 compare equal, so the type
      // decides.
      order.push_back(in_binary_order(quoted));
      order.push_back("typeof(" + quoted + ")");
    }
  }
  query.sql =
      "SELECT " + join(selected) + " FROM " + quote_identifier(table.name) + " ORDER BY " + join(order);
  return query;
}

TableDigest digest_rows(Session& session, const std::string& name, const RowQuery& query) {
  DigestWriter writer(table_format);
  writer.text(name);
  writer.byte(query.has_rowid ? 1 : 0);
  writer.count(query.columns.size());
  for (const std::string& column : query.columns) writer.text(column);
  TableDigest digest{name, 0, {}};
  session.each(query.sql, [&](const Row& row) {
    ++digest.rows;
    const int columns = row.column_count();
    for (int column = 0; column < columns; ++column) writer.cell(row, column);
  });
  writer.count(static_cast<std::uint64_t>(digest.rows));
  digest.sha256 = to_hex(writer.finish());
  return digest;
}

TableDigest digest_schema(Session& session) {
  const RowQuery query{{"type", "name", "tbl_name", "sql"},
                       "SELECT type, name, tbl_name, sql FROM sqlite_schema "
                       "ORDER BY type COLLATE BINARY, name COLLATE BINARY, tbl_name COLLATE BINARY",
                       false};
  return digest_rows(session, schema_digest_name, query);
}

/// Calls `work` for each table that has rows, all in one snapshot.
void for_each_table(Session& session, ProgressSink* progress, std::string_view phase,
                    const std::function<void(const Table&)>& work) {
  std::vector<Table> tables = list_tables(session);
  std::erase_if(tables, [](const Table& table) { return !table.has_rows(); });
  std::uint64_t done = 0;
  for (const Table& table : tables) {
    if (progress != nullptr) progress->update(phase, done++, tables.size());
    work(table);
  }
}

}  // namespace

std::vector<TableCount> count_rows(Session& session, ProgressSink* progress) {
  std::vector<TableCount> counts;
  StandIns stand_ins(session);
  session.read_snapshot([&] {
    for_each_table(session, progress, "counting rows", [&](const Table& table) {
      const std::string sql = "SELECT count(*) FROM " + quote_identifier(table.name);
      std::int64_t rows = 0;
      stand_ins.run([&] { rows = session.integer(sql); });
      counts.push_back({table.name, rows});
    });
  });
  return counts;
}

std::vector<TableDigest> digest_content(Session& session, ProgressSink* progress) {
  std::vector<TableDigest> digests;
  StandIns stand_ins(session);
  session.read_snapshot([&] {
    digests.push_back(digest_schema(session));
    for_each_table(session, progress, "hashing content", [&](const Table& table) {
      TableDigest digest;
      stand_ins.run([&] { digest = digest_rows(session, table.name, query_rows(table)); });
      digests.push_back(std::move(digest));
    });
  });
  return digests;
}

std::string combine_digests(const std::vector<TableDigest>& digests) {
  DigestWriter writer(database_format);
  writer.count(digests.size());
  for (const TableDigest& digest : digests) {
    writer.text(digest.name);
    writer.octets(from_hex(digest.sha256));
  }
  return to_hex(writer.finish());
}

}  // namespace nerve::sqlite
