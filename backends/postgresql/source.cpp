// SPDX-License-Identifier: Apache-2.0
#include "postgresql/source.h"

#include "postgresql/connection.h"
#include "postgresql/schema_lock.h"
#include "postgresql/url.h"

#include <atomic>
#include <string>
#include <utility>

namespace nerve::backends {

namespace {

class PostgresqlSource final : public db::ConnectionSource {
 public:
  PostgresqlSource(PostgresqlUrl url, OpenOptions options)
      : url_(std::move(url)), name_(url_.display_name()), options_(std::move(options)) {}

  std::unique_ptr<db::Connection> connect() override {
    auto connection = std::make_unique<PostgresqlConnection>(url_, options_, is_behind_pool_);
    is_behind_pool_ = connection->is_shared();
    return connection;
  }
  db::Dialect dialect() const noexcept override { return db::Dialect::postgresql; }
  const std::string& name() const noexcept override { return name_; }
  std::shared_ptr<std::timed_mutex> writer_queue() const override { return nullptr; }
  std::unique_ptr<db::SchemaLock> lock_schema(std::chrono::milliseconds wait) override {
    return lock_with_transaction(std::make_unique<PostgresqlConnection>(url_, options_, is_behind_pool_),
                                 name_, wait);
  }

 private:
  PostgresqlUrl url_;
  std::string name_;
  OpenOptions options_;
  std::atomic<bool> is_behind_pool_ = false;  // threads connect at the same time
};

}  // namespace

std::unique_ptr<db::ConnectionSource> make_postgresql_source(std::string_view url,
                                                             const OpenOptions& options) {
  return std::make_unique<PostgresqlSource>(parse_postgresql_url(url), options);
}

}  // namespace nerve::backends
