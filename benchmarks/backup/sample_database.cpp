// SPDX-License-Identifier: Apache-2.0
#include "sample_database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace nerve::bench {
namespace {

constexpr int documents_each_time = 1000;
constexpr int events_of_document = 4;
constexpr int account_count = 1000;
constexpr std::size_t page_bytes = 4096;

constexpr const char* schema = R"(
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, city TEXT NOT NULL);
CREATE UNIQUE INDEX customer_email ON customer(email);
CREATE INDEX customer_city ON customer(city, name);
CREATE TABLE document(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer(id),
  title TEXT NOT NULL, state INTEGER NOT NULL, created_at INTEGER NOT NULL, body TEXT NOT NULL, attachment BLOB);
CREATE INDEX document_customer ON document(customer_id, created_at);
CREATE TABLE event(id INTEGER PRIMARY KEY, document_id INTEGER NOT NULL REFERENCES document(id),
  kind TEXT NOT NULL, at INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE INDEX event_document ON event(document_id, at);
CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE transfer(id INTEGER PRIMARY KEY, from_id INTEGER NOT NULL, to_id INTEGER NOT NULL,
  amount INTEGER NOT NULL, note TEXT NOT NULL);
)";

class Statement {
 public:
  Statement(const Connection& connection, const char* sql) {
    if (::sqlite3_prepare_v2(connection.handle(), sql, -1, &handle_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(::sqlite3_errmsg(connection.handle()));
    }
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { ::sqlite3_finalize(handle_); }

  Statement& bind(std::int64_t value) {
    ::sqlite3_bind_int64(handle_, ++bound_, value);
    return *this;
  }
  Statement& bind(std::string_view text) {
    ::sqlite3_bind_text64(handle_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
  }
  Statement& bind_octets(std::string_view octets) {
    ::sqlite3_bind_blob64(handle_, ++bound_, octets.data(), octets.size(), SQLITE_TRANSIENT);
    return *this;
  }
  void run() {
    const int code = ::sqlite3_step(handle_);
    ::sqlite3_reset(handle_);
    bound_ = 0;
    if (code != SQLITE_DONE) throw std::runtime_error(::sqlite3_errstr(code));
  }

 private:
  ::sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
};

/// The same content each time.
class Content {
 public:
  Content() {
    for (std::string& word : words_) {
      word.resize(3 + random() % 8);
      for (char& letter : word) letter = static_cast<char>('a' + random() % 26);
    }
  }

  std::uint64_t random() { return engine_(); }
  std::string text(std::size_t words) {
    std::string text;
    for (std::size_t count = 0; count < words; ++count) {
      if (count > 0) text += ' ';
      // Some words are more frequent than others.
      text += words_[random() % (random() % words_.size() + 1)];
    }
    return text;
  }
  std::string octets(std::size_t size) {
    std::string octets(size, '\0');
    for (char& octet : octets) octet = static_cast<char>(random());
    return octets;
  }

 private:
  std::mt19937_64 engine_{20260501};
  std::array<std::string, 4000> words_;
};

struct Inserts {
  explicit Inserts(const Connection& to)
      : customer(to, "INSERT INTO customer VALUES(?,?,?,?)"),
        document(to, "INSERT INTO document VALUES(?,?,?,?,?,?,?)"),
        event(to, "INSERT INTO event(document_id,kind,at,detail) VALUES(?,?,?,?)") {}

  void add(std::int64_t id, Content& content) {
    const std::int64_t at = 1'700'000'000 + id * 7;
    if (id % 10 == 1) {
      customer.bind(id).bind(content.text(2)).bind(fmt::format("{:x}@example.org", content.random()));
      customer.bind(content.text(1)).run();
    }
    document.bind(id).bind((id - 1) / 10 * 10 + 1).bind(content.text(6)).bind(1).bind(at);
    document.bind(content.text(60 + content.random() % 120));
    document.bind_octets(content.octets(content.random() % 1700)).run();
    for (int count = 0; count < events_of_document; ++count) {
      event.bind(id)
          .bind(content.text(1))
          .bind(at + count)
          .bind(fmt::format("{:016x}", content.random()))
          .run();
    }
  }

  Statement customer;
  Statement document;
  Statement event;
};

std::vector<char> page_block() {
  return std::vector<char>(256 * page_bytes);
}

}  // namespace

Connection::Connection(const std::filesystem::path& path) {
  if (::sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) {
    ::sqlite3_close(handle_);
    throw std::runtime_error(fmt::format("cannot open {}", path.string()));
  }
  ::sqlite3_busy_timeout(handle_, 60'000);
}

Connection::~Connection() {
  ::sqlite3_close(handle_);
}

void Connection::execute(const std::string& sql) const {
  if (::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(::sqlite3_errmsg(handle_));
  }
}

std::string Connection::ask(const std::string& sql) const {
  std::string answer;
  const auto keep = [](void* to, int count, char** values, char**) {
    if (count > 0 && values[0] != nullptr) *static_cast<std::string*>(to) = values[0];
    return 1;
  };
  const int code = ::sqlite3_exec(handle_, sql.c_str(), keep, &answer, nullptr);
  if (code != SQLITE_OK && code != SQLITE_ABORT) throw std::runtime_error(::sqlite3_errmsg(handle_));
  return answer;
}

void in_process(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int code = 0;
    try {
      work();
    } catch (const std::exception& error) {
      fmt::print(stderr, "bench_backup: {}\n", error.what());
      code = 1;
    }
    ::_exit(code);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    throw std::runtime_error("a part of the benchmark failed");
  }
}

void make_sample(const std::filesystem::path& path, std::int64_t size_mb) {
  const Connection database(path);
  database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=20000");
  database.execute(schema);
  Content content;
  Inserts inserts(database);
  for (std::int64_t id = 1;
       std::stoll(database.ask("PRAGMA page_count")) < size_mb * 1'000'000 / std::int64_t{page_bytes};) {
    database.execute("BEGIN");
    for (int count = 0; count < documents_each_time; ++count) inserts.add(id++, content);
    database.execute("COMMIT");
  }
  database.execute(
      fmt::format("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<{}) "
                  "INSERT INTO account SELECT i,0 FROM n",
                  account_count));
  database.execute("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

void change_pages(const std::filesystem::path& path, unsigned round) {
  const Connection database(path);
  const std::int64_t pages = std::stoll(database.ask("PRAGMA page_count"));
  const std::int64_t documents = std::stoll(database.ask("SELECT max(id) FROM document"));
  const std::int64_t changed = std::max<std::int64_t>(1, pages / 100);
  Statement update(database, "UPDATE document SET state = state + 1 WHERE id = ?");
  std::mt19937_64 random(round);
  database.execute("BEGIN IMMEDIATE");
  for (std::int64_t count = 0; count < changed; ++count) {
    // One in each stretch: two of them are seldom on one page.
    const std::int64_t stretch = documents / changed;
    update
        .bind(1 + count * stretch + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(stretch)))
        .run();
  }
  database.execute("COMMIT");
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

std::uint64_t changed_bytes(const std::filesystem::path& before, const std::filesystem::path& after) {
  std::ifstream old_file(before, std::ios::binary);
  std::ifstream new_file(after, std::ios::binary);
  std::vector<char> old_block = page_block();
  std::vector<char> new_block = page_block();
  std::uint64_t changed = 0;
  for (;;) {
    old_file.read(old_block.data(), static_cast<std::streamsize>(old_block.size()));
    new_file.read(new_block.data(), static_cast<std::streamsize>(new_block.size()));
    const auto size = static_cast<std::size_t>(new_file.gcount());
    for (std::size_t at = 0; at < size; at += page_bytes) {
      const bool is_new = at >= static_cast<std::size_t>(old_file.gcount());
      if (is_new || std::memcmp(&old_block[at], &new_block[at], page_bytes) != 0) changed += page_bytes;
    }
    if (size < new_block.size()) return changed;
  }
}

std::string defect_of(const std::filesystem::path& copy) {
  try {
    const Connection database(copy);
    const std::string found = database.ask("PRAGMA quick_check(1)");
    if (found != "ok") return "malformed";
    if (database.ask("SELECT sum(balance) FROM account") != "0") return "sums differ";
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace nerve::bench
