// SPDX-License-Identifier: Apache-2.0
#include "support/engine.h"

#include <array>
#include <atomic>

namespace nerve::test {

std::string with_types(std::string_view sql, db::Dialect dialect) {
  struct Type {
    std::string_view logical, sqlite, postgresql;
  };
  static constexpr std::array types{
      Type{"{{id}}", "TEXT", "uuid"},         Type{"{{ts}}", "TEXT", "timestamptz"},
      Type{"{{num}}", "INTEGER", "bigint"},   Type{"{{real}}", "REAL", "double precision"},
      Type{"{{bool}}", "INTEGER", "boolean"}, Type{"{{json}}", "TEXT", "jsonb"},
      Type{"{{bytes}}", "BLOB", "bytea"},     Type{"{{text}}", "TEXT", "text"},
      Type{"{{strict}}", "STRICT", ""}};
  std::string text(sql);
  for (const Type& type : types) {
    const std::string_view own = dialect == db::Dialect::sqlite ? type.sqlite : type.postgresql;
    for (std::size_t at = 0; (at = text.find(type.logical, at)) != std::string::npos; at += own.size()) {
      text.replace(at, type.logical.size(), own);
    }
  }
  return text;
}

Postgresql::Postgresql() {
  static std::atomic<int> number{0};
  name_ = "test_" + std::to_string(++number);
  url_ = PostgresServer::shared().create_database(name_);
}

Postgresql Postgresql::owned() {
  static std::atomic<int> number{0};
  Postgresql database;
  database.name_ = "owned_" + std::to_string(++number);
  database.url_ = PostgresServer::shared().create_owned_database(database.name_);
  return database;
}

std::string Postgresql::url_of_application() const {
  PostgresServer::shared().execute(
      "DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
      "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app",
      name_);
  std::string url = url_;
  const std::string_view superuser = "postgres@";
  return url.replace(url.find(superuser), superuser.size(), "app@");
}

}  // namespace nerve::test
