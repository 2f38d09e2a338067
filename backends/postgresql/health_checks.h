// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/health.h"
#include "nerve/core/clock.h"
#include "nerve/core/time.h"
#include "nerve/db/database.h"
#include "nerve/health/check.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The single checks of check_health(), each by itself. They throw what Database::read throws.
namespace nerve::postgresql {

/// How many objects a check looks at, and names in the command of its fix; the next run finds what is left.
inline constexpr std::int64_t objects_max = 100;

/// What the server says of itself and of the role in use.
struct ServerFacts {
  std::string version;      ///< "15.14 (Debian 15.14-0+deb12u1)"
  int version_number = 0;   ///< 150014
  std::string quoted_role;  ///< as an identifier of a statement
  bool is_superuser = false;
  bool sees_statistics = false;  ///< of other roles' sessions
  bool is_in_recovery = false;   ///< a replica
};

/// A database as the checks see it: of its server's catalogues only, so that none of them can run what
/// somebody has put into the schema that is current; see db::Database::read_catalogue.
class CatalogueOnly {
 public:
  explicit CatalogueOnly(db::Database& database) : database_(&database) {}

  template <class Work>
  auto read(Work&& work) const {
    return database_->read_catalogue(std::forward<Work>(work));
  }
  const std::string& name() const noexcept { return database_->name(); }

 private:
  db::Database* database_;
};

/// What a check is made with. Borrows all.
struct HealthInput {
  CatalogueOnly database;
  const ServerFacts& facts;
  const HealthOptions& options;
  const Clock& clock;
};

health::Check check_version(const HealthInput& input);
health::Check check_superuser(const HealthInput& input);
health::Check check_tls(const HealthInput& input);
health::Check check_checksums(const HealthInput& input);

health::Check check_connections(const HealthInput& input);
health::Check check_long_transactions(const HealthInput& input);
health::Check check_idle_in_transaction(const HealthInput& input);
health::Check check_blocked_locks(const HealthInput& input);

health::Check check_transaction_id_age(const HealthInput& input);
health::Check check_dead_tuples(const HealthInput& input);
health::Check check_autovacuum(const HealthInput& input);

health::Check check_invalid_indexes(const HealthInput& input);
health::Check check_unused_indexes(const HealthInput& input);
health::Check check_duplicate_indexes(const HealthInput& input);
health::Check check_foreign_key_indexes(const HealthInput& input);

health::Check check_sequences(const HealthInput& input);
health::Check check_default_partition_rows(const HealthInput& input);
health::Check check_slow_statements(const HealthInput& input);

health::Check check_replication_lag(const HealthInput& input);
health::Check check_replication_slots(const HealthInput& input);
health::Check check_wal_archiving(const HealthInput& input);

/// An object with a fault: how it is told, and the statement that mends it; empty where a person must decide.
struct Finding {
  std::string text;
  std::string statement;
};

/// How a check that counts findings speaks.
struct Wording {
  std::string_view id;
  std::string_view what;       ///< behind the count: "invalid indexes"
  std::string_view threshold;  ///< "none"
  std::string_view none;       ///< the message when there are none
  std::string_view some;       ///< the message's beginning when there are
};

/// Ok without findings, else a warning that names them, with their statements as its fix.
health::Check finding_check(const HealthInput& input, const Wording& wording,
                            const std::vector<Finding>& findings);

/// A command line that runs `statements` one by one with psql, so that each may be one that no transaction
/// holds.
std::string psql_command(const HealthInput& input, std::span<const std::string> statements);
/// The same on another database of the server.
std::string psql_command(const HealthInput& input, const std::string& database,
                         std::span<const std::string> statements);
/// The same as the server's first role, postgres, for what others are not entitled to.
std::string administrator_command(const HealthInput& input, std::span<const std::string> statements);

/// An unknown check: the role lacks `privilege` ("pg_monitor", "SELECT ON SEQUENCE …"). The fix grants it.
health::Check not_permitted(std::string_view id, const HealthInput& input, const std::string& privilege,
                            std::string_view what);

/// "2 h 5 min" of a span that the server gave in seconds.
std::string describe_seconds(double seconds);

/// SQL for a schema that belongs to users: `name` is a column with its name.
std::string is_user_schema(std::string_view name);

}  // namespace nerve::postgresql
