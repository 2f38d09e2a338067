// SPDX-License-Identifier: Apache-2.0
// The same reads and writes of a tenant's rows by statements of one's own, and by a record in a scope.
#include "work.h"

#include "nerve/backends/open.h"
#include "nerve/record.h"
#include "nerve/store.h"

namespace nerve::bench {

namespace {

struct ScopedEvent {
  std::int64_t id = 0;
  std::string at;
  std::string kind;
  double score = 0;
  std::string body;
};

constexpr Field fields[] = {
    field<&ScopedEvent::id>("id"),       field<&ScopedEvent::at>("at"),     field<&ScopedEvent::kind>("kind"),
    field<&ScopedEvent::score>("score"), field<&ScopedEvent::body>("body"),
};

constinit const Record<ScopedEvent> events({.table = "events", .noun = "event", .is_tenant_owned = true},
                                           fields);

const Uuid tenant = Uuid::parse("00000000-0000-7000-8000-00000000000a");

class TenantRows : public Work {
 public:
  explicit TenantRows(const std::string& url) : database_(open_database(url, {.create = true})) {}

  void create_table() override {
    const bool is_sqlite = database_->dialect() == db::Dialect::sqlite;
    database_->write([&](db::Transaction& transaction) {
      transaction.execute("DROP TABLE IF EXISTS events");
      transaction.execute(
          is_sqlite
              ? "CREATE TABLE events (id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, at TEXT NOT NULL, "
                "kind TEXT NOT NULL, score REAL NOT NULL, body TEXT NOT NULL) STRICT"
              : "CREATE TABLE events (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, at text NOT NULL, "
                "kind text NOT NULL, score double precision NOT NULL, body text NOT NULL)");
    });
  }

 protected:
  static void insert_batch(db::Transaction& transaction, std::int64_t first, std::int64_t end) {
    auto bulk = transaction.bulk_insert("events", {"id", "tenant_id", "at", "kind", "score", "body"});
    for (std::int64_t number = first; number < end; ++number) {
      const Event& row = event(number);
      bulk.add(number, tenant, row.at, row.kind, row.score, row.body);
    }
    bulk.finish();
  }
  void analyze() {
    if (database_->dialect() == db::Dialect::postgresql)
      database_->write([](db::Transaction& transaction) { transaction.execute("ANALYZE events"); });
  }

  std::unique_ptr<db::Database>
      database_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

class WithoutScope final : public TenantRows {
 public:
  using TenantRows::TenantRows;
  const char* name() const override { return "no scope"; }

  void insert(std::int64_t rows) override {
    for (std::int64_t first = 0; first < rows; first += batch_rows) {
      database_->write([&](db::Transaction& transaction) {
        insert_batch(transaction, first, std::min(first + batch_rows, rows));
      });
    }
    analyze();
  }

  std::uint64_t read_all() override {
    return database_->read([](db::Transaction& transaction) {
      std::uint64_t sum = 0;
      transaction.each<std::int64_t, std::string, std::string, double, std::string>(
          "SELECT id, at, kind, score, body FROM events WHERE tenant_id = :tenant ORDER BY id",
          {{"tenant", tenant}},
          [&](std::int64_t id, const std::string& at, const std::string& kind, double score,
              const std::string& body) {
            sum += checksum(id, score, at.size() + kind.size() + body.size());
          });
      return sum;
    });
  }

  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    return database_->read([&](db::Transaction& transaction) {
      std::uint64_t sum = 0;
      for (std::int64_t k = 0; k < count; ++k) {
        const auto [id, at, kind, score, body] =
            transaction.one<std::int64_t, std::string, std::string, double, std::string>(
                "SELECT id, at, kind, score, body FROM events WHERE id = :id AND tenant_id = :tenant",
                {{"id", look_up_id(k, rows)}, {"tenant", tenant}});
        sum += checksum(id, score, at.size() + kind.size() + body.size());
      }
      return sum;
    });
  }
};

class InScope final : public TenantRows {
 public:
  using TenantRows::TenantRows;
  const char* name() const override { return "in scope"; }

  void insert(std::int64_t rows) override {
    for (std::int64_t first = 0; first < rows; first += batch_rows) {
      store().change(scope_, [&](Change& change) {
        insert_batch(change.transaction(), first, std::min(first + batch_rows, rows));
      });
    }
    analyze();
  }

  std::uint64_t read_all() override {
    return store().read(scope_, [](Reader& reader) {
      std::uint64_t sum = 0;
      reader.each<std::int64_t, std::string, std::string, double, std::string>(
          "SELECT id, at, kind, score, body FROM events WHERE tenant_id = :tenant ORDER BY id", {},
          [&](std::int64_t id, const std::string& at, const std::string& kind, double score,
              const std::string& body) {
            sum += checksum(id, score, at.size() + kind.size() + body.size());
          });
      return sum;
    });
  }

  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    return store().read(scope_, [&](Reader& reader) {
      std::uint64_t sum = 0;
      for (std::int64_t k = 0; k < count; ++k) {
        const ScopedEvent row = reader.require(events, look_up_id(k, rows));
        sum += checksum(row.id, row.score, row.at.size() + row.kind.size() + row.body.size());
      }
      return sum;
    });
  }

 private:
  OpenStore store() { return {Store::core, *database_, heard_, system_clock()}; }

  DomainEvents heard_;
  Scope scope_ = Scope::of_tenant(TenantId(tenant), Actor::job_named("benchmark"));
};

}  // namespace

std::unique_ptr<Work> make_without_scope(const std::string& url) {
  return std::make_unique<WithoutScope>(url);
}

std::unique_ptr<Work> make_in_scope(const std::string& url) {
  return std::make_unique<InScope>(url);
}

}  // namespace nerve::bench
