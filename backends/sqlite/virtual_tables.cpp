// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/virtual_tables.h"

#include "sqlite/interrupt_watch.h"
#include "sqlite/text_index_copy.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace nerve::sqlite {

namespace {

struct VirtualTable {
  std::string name;
  std::string sql;
};

std::vector<VirtualTable> virtual_tables(Session& session) {
  std::vector<VirtualTable> tables;
  session.each(
      "SELECT s.name, s.sql FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.schema = 'main' AND "
      "l.name = s.name WHERE s.type = 'table' AND l.type = 'virtual' ORDER BY s.name",
      [&](const Row& row) {
        tables.push_back({std::string(row.text(0)), std::string(row.text(1))});
      });
  return tables;
}

bool is_word(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
  return result;
}

/// Where the quoted text that begins at `place` ends.
std::size_t end_of_quoted(std::string_view sql, std::size_t place) {
  const char mark = sql[place] == '[' ? ']' : sql[place];
  const std::size_t end = sql.find(mark, place + 1);
  return end == std::string_view::npos ? sql.size() : end + 1;
}

/// The module behind USING, in lower case; empty where the statement is written in another way.
std::string module_of(std::string_view sql) {
  std::string before;
  for (std::size_t place = 0; place < sql.size();) {
    if (std::string_view("\"'`[").find(sql[place]) != std::string_view::npos) {
      const std::size_t end = end_of_quoted(sql, place);
      if (before == "using") return lowered(sql.substr(place + 1, end - place - 2));
      before.clear();
      place = end;
    } else if (is_word(sql[place])) {
      std::size_t end = place;
      while (end < sql.size() && is_word(sql[end])) ++end;
      std::string word = lowered(sql.substr(place, end - place));
      if (before == "using") return word;
      before = std::move(word);
      place = end;
    } else {
      ++place;
    }
  }
  return {};
}

class VirtualTableRun {
 public:
  VirtualTableRun(Session& session, VirtualTableCheck check) : session_(session), check_(check) {}

  void look_at(const VirtualTable& table) {
    try {
      read_first_rows(table);
      if (check_ == VirtualTableCheck::whole) check_whole(table);
    } catch (const IntegrityError&) {
      findings_.damaged.push_back(
          fmt::format("{}: its rows cannot be read: what its tables hold is malformed", table.name));
    } catch (const DatabaseError& error) {
      if (!error.code().starts_with("SQLITE_ERROR")) throw;
      leave_out(table, error.what());
    }
  }

  VirtualTableFindings take() { return std::move(findings_); }

 private:
  void leave_out(const VirtualTable& table, std::string_view why) {
    if (check_ == VirtualTableCheck::whole)
      findings_.unchecked.push_back(fmt::format("{}: {}", table.name, why));
  }

  void read_first_rows(const VirtualTable& table) {
    session_.each(
        fmt::format("SELECT * FROM main.{} LIMIT {}", quote_identifier(table.name), virtual_table_rows_read),
        [](const Row&) {});
  }

  bool has_own_tables(const VirtualTable& table) {
    return session_.integer(
               fmt::format("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = "
                           "'shadow' AND substr(name, 1, length({0}) + 1) = {0} || '_'",
                           quote_text(table.name))) > 0;
  }

  void check_whole(const VirtualTable& table) {
    const std::string module = module_of(table.sql);
    if (module == "rtree" || module == "rtree_i32" || module == "geopoly") return check_rtree(table);
    if (module == "fts3" || module == "fts4" || module == "fts5") return check_text_index(table);
    if (has_own_tables(table))
      leave_out(table, fmt::format("only its first rows were read: {} has no check that is known", module));
  }

  void check_rtree(const VirtualTable& table) {
    const std::string found = session_.text("SELECT rtreecheck('main', " + quote_text(table.name) + ")");
    if (found == "ok") return;
    findings_.damaged.push_back(
        fmt::format("{}: {}", table.name, sanitize_for_terminal(found.substr(0, found.find('\n')))));
  }

  void check_text_index(const VirtualTable& table) {
    const CopyVerdict verdict = TextIndexCopy(session_).check(table.name, table.sql);
    if (!verdict.damage.empty())
      findings_.damaged.push_back(fmt::format("{}: {}", table.name, verdict.damage));
    if (!verdict.unchecked.empty())
      leave_out(table, fmt::format("{} could not check it: {}", module_of(table.sql), verdict.unchecked));
  }

  Session& session_;
  VirtualTableCheck check_;
  VirtualTableFindings findings_;
};

}  // namespace

VirtualTableFindings check_virtual_tables(Session& session, VirtualTableCheck check, ProgressSink* progress) {
  const InterruptWatch watch(session);
  VirtualTableRun run(session, check);
  session.read_snapshot([&] {
    const std::vector<VirtualTable> tables = virtual_tables(session);
    std::uint64_t done = 0;
    for (const VirtualTable& table : tables) {
      if (progress != nullptr) progress->update("checking virtual tables", done++, tables.size());
      run.look_at(table);
    }
  });
  return run.take();
}

}  // namespace nerve::sqlite
