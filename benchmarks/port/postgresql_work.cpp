// SPDX-License-Identifier: Apache-2.0
#include "work.h"

#include <libpq-fe.h>

#include <charconv>
#include <cstring>
#include <stdexcept>

namespace nerve::bench {

namespace {

class RawPostgresql final : public Work {
 public:
  explicit RawPostgresql(const std::string& conninfo) : handle_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(handle_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle_));
    PQsetNoticeReceiver(
        handle_, [](void*, const PGresult*) {}, nullptr);
  }
  RawPostgresql(const RawPostgresql&) = delete;
  RawPostgresql& operator=(const RawPostgresql&) = delete;
  ~RawPostgresql() override { PQfinish(handle_); }

  const char* name() const override { return "libpq"; }

  void create_table() override {
    run("DROP TABLE IF EXISTS events");
    run("CREATE TABLE events (id bigint PRIMARY KEY, at text NOT NULL, kind text NOT NULL, score double "
        "precision NOT NULL, "
        "body text NOT NULL)");
  }

  /// COPY, the fastest way that libpq has; the values hold nothing that COPY would have to escape.
  void insert(std::int64_t rows) override {
    std::string buffer;
    for (std::int64_t number = 0; number < rows; ++number) {
      if (number % batch_rows == 0) {
        run("BEGIN");
        PQclear(PQexec(handle_, "COPY events(id, at, kind, score, body) FROM STDIN"));
      }
      append(buffer, number, event(number));
      const bool ends = (number + 1) % batch_rows == 0 || number + 1 == rows;
      if (buffer.size() >= 65'536 || ends) {
        if (PQputCopyData(handle_, buffer.data(), static_cast<int>(buffer.size())) != 1)
          throw std::runtime_error("COPY failed");
        buffer.clear();
      }
      if (!ends) continue;
      PQputCopyEnd(handle_, nullptr);
      while (PGresult* result = PQgetResult(handle_)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
          throw std::runtime_error(PQresultErrorMessage(result));
        PQclear(result);
      }
      run("COMMIT");
    }
    run("ANALYZE events");
  }

  std::uint64_t read_all() override {
    PGresult* result = PQexec(handle_, "SELECT id, at, kind, score, body FROM events ORDER BY id");
    std::uint64_t sum = 0;
    for (int row = 0; row < PQntuples(result); ++row) sum += row_checksum(result, row);
    PQclear(result);
    return sum;
  }

  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    PQclear(
        PQprepare(handle_, "find", "SELECT id, at, kind, score, body FROM events WHERE id = $1", 1, nullptr));
    std::uint64_t sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      const std::string id = std::to_string(look_up_id(k, rows));
      const char* values[] = {id.c_str()};
      PGresult* result = PQexecPrepared(handle_, "find", 1, values, nullptr, nullptr, 0);
      if (PQntuples(result) != 1) throw std::runtime_error("row is missing");
      sum += row_checksum(result, 0);
      PQclear(result);
    }
    run("DEALLOCATE find");
    run("COMMIT");
    return sum;
  }

 private:
  void run(const char* sql) {
    PGresult* result = PQexec(handle_, sql);
    const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!good) throw std::runtime_error(PQerrorMessage(handle_));
  }

  static void append(std::string& buffer, std::int64_t number, const Event& row) {
    char digits[64];
    buffer.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    buffer += '\t';
    buffer += row.at;
    buffer += '\t';
    buffer += row.kind;
    buffer += '\t';
    buffer.append(digits, std::to_chars(digits, digits + sizeof digits, row.score).ptr);
    buffer += '\t';
    buffer += row.body;
    buffer += '\n';
  }

  static std::uint64_t row_checksum(const PGresult* result, int row) {
    const auto text = [&](int column) {
      return std::string(PQgetvalue(result, row, column),
                         static_cast<std::size_t>(PQgetlength(result, row, column)));
    };
    const auto number = [&](int column, auto& value) {
      const char* begin = PQgetvalue(result, row, column);
      std::from_chars(begin, begin + PQgetlength(result, row, column), value);
    };
    Event read{0, text(1), text(2), 0, text(4)};
    number(0, read.id);
    number(3, read.score);
    return checksum(read.id, read.score, read.at.size() + read.kind.size() + read.body.size());
  }

  PGconn* handle_;
};

}  // namespace

std::unique_ptr<Work> make_raw_postgresql(const std::string& conninfo) {
  return std::make_unique<RawPostgresql>(conninfo);
}

}  // namespace nerve::bench
