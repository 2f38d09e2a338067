// SPDX-License-Identifier: Apache-2.0
// Goal: no error of the port holds a bound value or a password. Method: provoke every error that an engine
// words with values, and look for the value in what leaves the port.
#include "support/engine.h"

#include "nerve/core/error.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

using namespace nerve;

namespace {

constexpr std::string_view secret = "hunter2-XYZZY";

/// Runs `work`, which must throw, and returns all that the error says.
template <class Work>
std::string text_of_error(Work work) {
  try {
    work();
  } catch (const DatabaseError& error) {
    return std::string(error.what()) + "\n" + error.hint() + "\n" + error.code();
  } catch (const Error& error) {
    return std::string(error.what()) + "\n" + error.hint();
  }
  FAIL("nothing was thrown");
  return {};
}

bool holds_secret(const std::string& text) {
  return text.find("hunter2") != std::string::npos;
}

/// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

CONFORMANCE_TEST("no error repeats a bound value") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE people (mail {{text}} PRIMARY KEY CHECK (length(mail) < 40), n {{num}}, "
        "j {{json}}, at {{ts}}) {{strict}}",
        transaction.dialect()));
    transaction.execute("INSERT INTO people(mail) VALUES (:m)", {{"m", secret}});
  });
  const std::string value(secret);
  const auto insert = [&](const std::string& column, const auto& bound) {
    return text_of_error([&] {
      database->write([&](db::Transaction& transaction) {
        transaction.execute("INSERT INTO people(" + column + ") VALUES (:v)", {{"v", bound}});
      });
    });
  };
  CHECK_FALSE(holds_secret(insert("mail", value)));                         // unique
  CHECK_FALSE(holds_secret(insert("mail", value + std::string(40, 'x'))));  // check
  CHECK_FALSE(holds_secret(insert("n", value)));                            // type
  CHECK_FALSE(holds_secret(insert("mail", value + '\0')));                  // refused by the port
  CHECK_FALSE(holds_secret(text_of_error([&] {
    database->read([&](db::Transaction& transaction) {
      transaction.one<std::int64_t>("SELECT CAST(:v AS TEXT)", {{"v", value}});  // read as another type
    });
  })));
  CHECK_FALSE(holds_secret(text_of_error([&] {
    database->read([&](db::Transaction& transaction) {
      transaction.one<std::string>(
          "SELECT j ->> 'x' FROM people WHERE mail = :v AND abs(-9223372036854775807 - 2) > 0",
          {{"v", value}});
    });
  })));
}

CONFORMANCE_TEST("no error of a bulk insert repeats a value") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE people (mail {{text}} PRIMARY KEY, n {{num}}) {{strict}}", transaction.dialect()));
  });
  CHECK_FALSE(holds_secret(text_of_error([&] {
    database->write([](db::Transaction& transaction) {
      auto bulk = transaction.bulk_insert("people", {"mail", "n"});
      bulk.add(secret, 1);
      bulk.add(secret, 2);
      bulk.finish();
    });
  })));
  CHECK_FALSE(holds_secret(text_of_error([&] {
    database->write([](db::Transaction& transaction) {
      auto bulk = transaction.bulk_insert("people", {"mail", "n"});
      bulk.add("a", secret);
      bulk.finish();
    });
  })));
}

CONFORMANCE_TEST("the query log keeps no literal and no bound value") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->read([](db::Transaction& transaction) {
    transaction.one<std::string>("SELECT CAST(:v AS TEXT) || 'hunter2 in a literal'", {{"v", secret}});
  });
  const auto statistics = database->query_log().snapshot();
  REQUIRE_FALSE(statistics.empty());
  for (const auto& statement : statistics) CHECK_FALSE(holds_secret(statement.sql));
}

TEST_CASE("SQLite's own words for values inside functions are not passed on") {
  const test::Sqlite engine;
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE VIRTUAL TABLE texts USING fts5(body)");
  });
  for (const std::string sql :
       {"SELECT json_extract('{}', :v)", "SELECT body FROM texts WHERE texts MATCH :v"}) {
    INFO(sql);
    const std::string text = text_of_error([&] {
      database->read([&](db::Transaction& transaction) {
        transaction.maybe<std::optional<std::string>>(sql, {{"v", "\"" + std::string(secret) + " ("}});
      });
    });
    CHECK_FALSE(holds_secret(text));
  }
}

TEST_CASE("a password inside a URL is refused without being repeated") {
  for (const std::string& url : {"postgresql://anna:" + std::string(secret) + "@127.0.0.1/app",
                                 "postgresql://127.0.0.1/app?password=" + std::string(secret),
                                 "postgresql://an%3Ana:" + std::string(secret) + "@h1,h2:5433/app"}) {
    const std::string text = text_of_error([&] { open_database(url); });
    CHECK_FALSE(holds_secret(text));
    CHECK(text.find("PGPASSWORD") != std::string::npos);
  }
}

TEST_CASE("a wrong password is denied with its remedy and shows in no error text") {
  if (test::Postgresql::is_waived()) return;
  test::PostgresServer server({.listen_on_tcp = true});
  server.create_password_role("anna", "right");
  const Variable variable("PGPASSWORD", std::string(secret));
  const auto database = open_database(server.tcp_url("anna"));
  try {
    database->read([](db::Transaction&) {});
    FAIL("admitted");
  } catch (const ConnectionError& error) {
    CHECK(error.kind() == ErrorKind::denied);
    CHECK_FALSE(holds_secret(std::string(error.what()) + error.hint()));
    CHECK(std::string(error.hint()).find(".pgpass") != std::string::npos);
  }
}

TEST_CASE("the password comes from a file in the format of .pgpass") {
  if (test::Postgresql::is_waived()) return;
  test::PostgresServer server({.listen_on_tcp = true});
  server.create_password_role("anna", "right:with\\colon");
  const test::TempFolder folder;
  const auto file = folder / "pgpass";
  std::ofstream(file) << "127.0.0.1:*:*:anna:right\\:with\\\\colon\n";
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  OpenOptions options;
  options.password_file = file;
  const auto database = open_database(server.tcp_url("anna"), options);
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT CAST(current_user AS TEXT)");
  }) == "anna");
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  CHECK_THROWS_AS(open_database(server.tcp_url("anna"), options)->read([](db::Transaction&) {}), Error);
}

TEST_CASE("TLS verifies the server's name and certificate") {
  if (test::Postgresql::is_waived()) return;
  test::PostgresServer server({.listen_on_tcp = true, .use_tls = true});
  server.create_password_role("anna", "right");
  const Variable variable("PGPASSWORD", "right");
  const auto uses_tls = [](const std::string& url) {
    return open_database(url)->read([](db::Transaction& transaction) {
      return transaction.one<bool>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    });
  };
  const std::string url = server.tcp_url("anna") + "?sslmode=verify-full";
  CHECK(uses_tls(url + "&sslrootcert=" + server.certificate_file().string()));
  const std::string text =
      text_of_error([&] { uses_tls(url + "&sslrootcert=/etc/ssl/certs/ca-certificates.crt"); });
  CHECK(text.find("sslrootcert") != std::string::npos);
}
