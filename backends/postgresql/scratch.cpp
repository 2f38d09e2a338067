// SPDX-License-Identifier: Apache-2.0
#include "postgresql/scratch.h"

#include "postgresql/source.h"
#include "postgresql/url.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/random.h"
#include "nerve/db/database.h"
#include "nerve/db/identifier.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nerve::backends {

namespace {

constexpr std::string_view prefix = "nerve_scratch_";
constexpr std::size_t time_digits = 12;
constexpr std::chrono::milliseconds lock_wait{10'000};
constexpr const char* remedy =
    "Let the role create databases (ALTER ROLE … CREATEDB) and name the server itself, or name an empty "
    "database "
    "with --scratch URL (database.scratch_url in nerve.toml).";

// The columns of pg_database differ between releases.
constexpr std::string_view origin_sql = R"(
SELECT CAST(EXTRACT(epoch FROM clock_timestamp()) * 1000 AS bigint), CAST(to_jsonb(d) AS text)
FROM pg_database AS d WHERE d.datname = current_database())";

constexpr std::string_view leftovers_sql = R"(
SELECT CAST(d.datname AS text) FROM pg_database AS d JOIN pg_roles AS r ON r.oid = d.datdba
WHERE r.rolname = current_user AND d.datname ~ '^nerve_scratch_[0-9a-f]{32}$'
  AND NOT EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.datid = d.oid)
ORDER BY 1 LIMIT 100)";

struct Origin {
  std::int64_t now_ms = 0;  ///< by the server's clock
  Json database;            ///< its row in pg_database
};

/// The prefix, the time in milliseconds, and a random number: who finds it later knows its age.
std::string new_name(std::int64_t now_ms) {
  std::array<std::byte, 10> bytes{};
  system_random().fill(bytes);
  return fmt::format("{}{:012x}{}", prefix, now_ms, to_hex(bytes));
}

std::int64_t time_ms_of(const std::string& name) {
  std::int64_t time_ms = 0;
  const char* begin = name.data() + prefix.size();
  std::from_chars(begin, begin + time_digits, time_ms, 16);
  return time_ms;
}

/// Encoding and collation as the verified database has them, since they change what definitions mean. The
/// grammar takes quoted names for texts here.
std::string create_sql(const std::string& name, const Json& like) {
  const auto text = [&](const char* column) {
    const auto found = like.find(column);
    return found == like.end() || found->is_null() ? std::string() : found->get<std::string>();
  };
  std::string sql = fmt::format("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
                                db::quote_name(name), like.at("encoding").get<int>(),
                                db::quote_name(text("datcollate")), db::quote_name(text("datctype")));
  const std::string provider = text("datlocprovider");
  const std::string locale = text("datlocale") + text("daticulocale");
  if (provider == "i") sql += " LOCALE_PROVIDER icu ICU_LOCALE " + db::quote_name(locale);
  if (provider == "b") sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + db::quote_name(locale);
  if (const std::string rules = text("daticurules"); !rules.empty())
    sql += " ICU_RULES " + db::quote_name(rules);
  return sql;
}

OpenOptions for_one_connection(OpenOptions options) {
  options.read_only = false;
  options.database.pool_size = 1;
  return options;
}

class ScratchSource final : public db::ConnectionSource {
 public:
  ScratchSource(PostgresqlUrl url, const OpenOptions& options)
      : server_(make_postgresql_source(url.to_url(), options), options.database) {
    const Origin origin = read_origin();
    drop_leftovers(origin.now_ms);
    database_ = new_name(origin.now_ms);
    create(origin.database);
    url.database = database_;
    try {
      made_ = make_postgresql_source(url.to_url(), options);
    } catch (...) {
      drop();
      throw;
    }
  }
  ScratchSource(const ScratchSource&) = delete;
  ScratchSource& operator=(const ScratchSource&) = delete;
  ~ScratchSource() override { drop(); }

  std::unique_ptr<db::Connection> connect() override {
    try {
      return made_->connect();
    } catch (const ConnectionError& error) {
      throw UnsupportedError(std::string("the scratch database was made, but: ") + error.what(), remedy);
    }
  }
  db::Dialect dialect() const noexcept override { return db::Dialect::postgresql; }
  const std::string& name() const noexcept override { return made_->name(); }
  std::shared_ptr<std::timed_mutex> writer_queue() const override { return nullptr; }
  std::unique_ptr<db::SchemaLock> lock_schema(std::chrono::milliseconds wait) override {
    return made_->lock_schema(wait);
  }

 private:
  Origin read_origin() {
    return server_.read_catalogue([](db::Transaction& transaction) {
      const auto [now_ms, row] = transaction.one<std::int64_t, std::string>(origin_sql);
      return Origin{now_ms, Json::parse(row)};
    });
  }

  void create(const Json& like) {
    try {
      run(create_sql(database_, like));
    } catch (const UnsupportedError& error) {
      throw UnsupportedError(error.what(), remedy);
    } catch (const DatabaseError& error) {
      constexpr std::string_view insufficient_privilege = "42501";
      constexpr std::string_view read_only = "25006";
      if (error.code() != insufficient_privilege && error.code() != read_only) throw;
      throw UnsupportedError(
          fmt::format("no scratch database can be made beside {}: {}", server_.name(), error.what()), remedy);
    }
  }

  /// Of runs that were killed: ours by name and owner, in use by nobody, and older than any run.
  void drop_leftovers(std::int64_t now_ms) {
    constexpr std::chrono::milliseconds age_min = std::chrono::hours(1);
    const auto names = server_.read_catalogue([](db::Transaction& transaction) {
      std::vector<std::string> found;
      transaction.each<std::string>(leftovers_sql, {},
                                    [&](std::string name) { found.push_back(std::move(name)); });
      return found;
    });
    for (const std::string& name : names) {
      if (now_ms - time_ms_of(name) < age_min.count()) continue;
      try {
        run("DROP DATABASE IF EXISTS " + db::quote_name(name));
      } catch (const ConnectionError&) {
        throw;
      } catch (const DatabaseError&) {
        continue;  // Somebody connected to it meanwhile, or is dropping it.
      }
    }
  }

  void drop() noexcept {
    made_.reset();
    try {
      run("DROP DATABASE IF EXISTS " + db::quote_name(database_) + " WITH (FORCE)");
    } catch (const std::exception&) {
      return;  // The server is gone; a later run drops what is left.
    }
  }

  void run(const std::string& sql) {
    server_.change_schema([&](db::SchemaSession& session) { session.execute_alone(sql, lock_wait); });
  }

  db::Database server_;  // speaks to the verified database
  std::string database_;
  std::unique_ptr<db::ConnectionSource> made_;
};

}  // namespace

std::unique_ptr<db::ConnectionSource> make_scratch_source(std::string_view url, const OpenOptions& options) {
  return std::make_unique<ScratchSource>(parse_postgresql_url(url), for_one_connection(options));
}

}  // namespace nerve::backends
