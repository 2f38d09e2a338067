// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres_server.h"
#include "support/temp_folder.h"

#include "nerve/backends/open.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace nerve::test {

/// Replaces the logical types of the data model ({{id}}, {{ts}}, {{num}}, {{real}}, {{bool}}, {{json}},
/// {{bytes}}, {{text}}) by the engine's own.
std::string with_types(std::string_view sql, db::Dialect dialect);

/// A new, empty SQLite database.
class Sqlite {
 public:
  static constexpr db::Dialect dialect = db::Dialect::sqlite;
  static bool is_waived() { return false; }

  std::string url() const { return "sqlite:" + (folder_ / "test.db").string(); }
  static Sqlite owned() { return {}; }
  /// As whom services run: SQLite has no roles.
  std::string url_of_application() const { return url(); }
  std::unique_ptr<db::Database> open(OpenOptions options = {}) const {
    options.create = true;
    return open_database(url(), options);
  }

 private:
  TempFolder folder_;
};

/// A new, empty database on the PostgreSQL server that the test program started.
class Postgresql {
 public:
  static constexpr db::Dialect dialect = db::Dialect::postgresql;
  static bool is_waived() { return PostgresServer::is_waived(); }

  Postgresql();
  /// Owned by a role that is no superuser, so that policies hold whoever connects by its url().
  static Postgresql owned();
  const std::string& url() const { return url_; }
  std::unique_ptr<db::Database> open(const OpenOptions& options = {}) const {
    return open_database(url_, options);
  }
  const std::string& name() const { return name_; }

  /// What policies of row-level security hold for, which a superuser passes by: makes the role "app" where it
  /// is missing, lets it read and write the rows of all tables that there are now, and returns the URL of
  /// this database as that role.
  std::string url_of_application() const;

 private:
  std::string name_;
  std::string url_;
};

}  // namespace nerve::test

/// TEST_CASE_TEMPLATE over both engines that leaves out PostgreSQL where its absence is allowed.
#define CONFORMANCE_TEST(claim) \
  TEST_CASE_TEMPLATE(claim, Engine, nerve::test::Sqlite, nerve::test::Postgresql)

/// Begins a conformance test: makes `engine`, or ends the test with a word.
#define START_ENGINE(engine)                                                     \
  if (Engine::is_waived()) {                                                     \
    MESSAGE("skipped: PostgreSQL is not installed and NERVE_POSTGRES=optional"); \
    return;                                                                      \
  }                                                                              \
  const Engine engine
