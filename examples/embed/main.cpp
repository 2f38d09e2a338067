// SPDX-License-Identifier: Apache-2.0
// Opens a database, writes findings in one transaction, reads them back as typed rows. It runs unchanged on
// PostgreSQL: give it a URL such as postgresql://user@host/database.
#include "nerve/backends/open.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/id.h"
#include "nerve/core/time.h"

#include <array>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using FindingId = nerve::Id<struct FindingTag>;

struct Observation {
  std::string_view host;
  std::string_view title;
  std::int64_t severity;
};

constexpr std::array<Observation, 3> observations{{
    {.host = "mail.example.org", .title = "certificate expires in 6 days", .severity = 4},
    {.host = "vpn.example.org", .title = "administration page is public", .severity = 9},
    {.host = "www.example.org", .title = "no content security policy", .severity = 3},
}};

void record(nerve::db::Transaction& transaction, nerve::Timestamp found_at) {
  transaction.execute(
      "CREATE TABLE IF NOT EXISTS findings (id TEXT PRIMARY KEY, host TEXT NOT NULL, title TEXT NOT NULL, "
      "severity INTEGER NOT NULL, found_at TEXT NOT NULL)");
  transaction.execute("DELETE FROM findings");
  for (const Observation& observation : observations) {
    transaction.execute(
        "INSERT INTO findings (id, host, title, severity, found_at) "
        "VALUES (:id, :host, :title, :severity, :found_at)",
        {{"id", nerve::new_id<struct FindingTag>()},
         {"host", observation.host},
         {"title", observation.title},
         {"severity", observation.severity},
         {"found_at", found_at}});
  }
}

void print(nerve::db::Transaction& transaction) {
  transaction.each<FindingId, std::string, std::string, std::int64_t>(
      "SELECT id, host, title, severity FROM findings ORDER BY severity DESC LIMIT 10", {},
      [](const FindingId& id, const std::string& host, const std::string& title, std::int64_t severity) {
        std::cout << id.short_text() << "  " << severity << "  " << host << ": " << title << '\n';
      });
  const auto [count, worst] =
      transaction.one<std::int64_t, std::int64_t>("SELECT count(*), max(severity) FROM findings");
  std::cout << count << " findings, the worst of severity " << worst << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embed DATABASE\n";
    return 2;
  }
  try {
    nerve::OpenOptions options;
    options.create = true;
    const auto database = nerve::open_database(argv[1], options);
    const nerve::Timestamp now = nerve::system_clock().now();
    database->write([&](nerve::db::Transaction& transaction) { record(transaction, now); });
    database->read(print);
  } catch (const nerve::Error& error) {
    std::cerr << "embed: " << error.what() << '\n' << error.hint() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "embed: " << error.what() << '\n';
    return 1;
  }
}
