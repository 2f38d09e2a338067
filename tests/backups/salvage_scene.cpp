// SPDX-License-Identifier: Apache-2.0
#include "backups/salvage_scene.h"

#include "support/file_bytes.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/backends/sqlite/session.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace nerve::test {

void SalvageScene::make_letters(int rows, const std::string& pragmas) const {
  const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                              std::to_string(rows) + ") ";
  run(pragmas +
      "BEGIN;"
      "CREATE TABLE letters(id INTEGER PRIMARY KEY, text TEXT NOT NULL, number REAL);"
      "CREATE TABLE words(word TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;"
      "CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB);"
      "CREATE INDEX letters_by_text ON letters(text);" +
      numbers + "INSERT INTO letters SELECT i, 'letter number ' || i, i / 7.0 FROM n;" + numbers +
      "INSERT INTO words SELECT printf('word%05d', i), i * 3 FROM n;"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
      "INSERT INTO blobs SELECT i, CAST(printf('%0*d', 2000 + 700 * i, i) AS BLOB) FROM n;"
      "COMMIT;");
}

std::vector<std::uint32_t> SalvageScene::pages(const std::string& name, const std::string& type) const {
  // Values come as "type:size:value", one a line.
  std::istringstream lines(PlainSqlite(database())
                               .rows("SELECT pageno FROM dbstat WHERE name = '" + name +
                                     "' AND pagetype = '" + type + "' ORDER BY pageno"));
  std::vector<std::uint32_t> numbers;
  for (std::string line; std::getline(lines, line);) {
    numbers.push_back(static_cast<std::uint32_t>(std::stoul(line.substr(line.rfind(':') + 1))));
  }
  return numbers;
}

std::uint32_t SalvageScene::root(const std::string& name) const {
  return static_cast<std::uint32_t>(
      PlainSqlite(database()).number("SELECT rootpage FROM sqlite_schema WHERE name = '" + name + "'"));
}

std::uint32_t SalvageScene::page_size() const {
  return static_cast<std::uint32_t>(PlainSqlite(database()).number("PRAGMA page_size"));
}

std::string SalvageScene::bytes() const {
  return bytes_of(database());
}

void SalvageScene::write_bytes(std::string_view bytes) const {
  std::ofstream(database(), std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void SalvageScene::overwrite(std::uint64_t offset, std::string_view bytes) const {
  std::fstream file(database(), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void SalvageScene::overwrite_page(std::uint32_t number, char filling) const {
  const std::uint32_t size = page_size();
  overwrite(std::uint64_t{number - 1} * size, std::string(size, filling));
}

nerve::backups::SalvageReport SalvageScene::salvage(const nerve::backups::SalvageOptions& options) const {
  std::filesystem::remove(target());
  return nerve::backups::salvage_database(database(), target(), options, nullptr);
}

RowsByKey rows_of(const std::filesystem::path& path, const std::string& table) {
  PlainSqlite database(path, PlainSqlite::Access::immutable);
  const std::int64_t columns = database.number("SELECT count(*) FROM pragma_table_info('" + table + "')");
  std::istringstream lines(database.rows("SELECT * FROM \"" + table + "\""));
  RowsByKey rows;
  std::string key;
  std::string row;
  std::int64_t column = 0;
  // A value may hold any byte, so its size says where it ends: "type:size:octets\n".
  std::string type;
  std::string size;
  while (std::getline(lines, type, ':') && std::getline(lines, size, ':')) {
    std::string octets(std::stoul(size) + 1, '\0');
    lines.read(octets.data(), static_cast<std::streamsize>(octets.size()));
    const std::size_t place = row.size();
    row.append(type).append(":").append(size).append(":").append(octets);
    if (column == 0) key = row.substr(place);
    if (++column < columns) continue;
    rows.emplace(std::exchange(key, {}), std::exchange(row, {}));
    column = 0;
  }
  return rows;
}

std::size_t count_wrong(const RowsByKey& original, const RowsByKey& found) {
  return static_cast<std::size_t>(std::ranges::count_if(found, [&](const auto& row) {
    const auto expected = original.find(row.first);
    return expected == original.end() || expected->second != row.second;
  }));
}

std::int64_t count_in(const std::filesystem::path& path, const std::string& from) {
  return PlainSqlite(path, PlainSqlite::Access::immutable).number("SELECT count(*) FROM " + from);
}

std::string content_digest(const std::filesystem::path& path) {
  nerve::sqlite::Session session(path);
  return nerve::sqlite::combine_digests(nerve::sqlite::digest_content(session));
}

const nerve::backups::SalvagedTable& table_of(const nerve::backups::SalvageReport& report,
                                              std::string_view name) {
  const auto table = std::ranges::find(report.tables, name, &nerve::backups::SalvagedTable::name);
  if (table == report.tables.end()) throw std::runtime_error("the report lacks " + std::string(name));
  return *table;
}

bool has_note(const nerve::backups::SalvageReport& report, std::string_view part) {
  return std::ranges::any_of(report.notes,
                             [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

}  // namespace nerve::test
