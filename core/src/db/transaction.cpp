// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/transaction.h"

#include "session.h"

namespace nerve::db {

Statement Transaction::prepare(std::string_view sql) {
  return Statement(*session_, session_->acquire(sql));
}

void Transaction::execute_script(std::string_view sql) {
  session_->require_intact();
  session_->guarded([&] { session_->connection().execute_script(sql); });
  session_->note_schema_change();
}

BulkInsert Transaction::bulk_insert(const Identifier& table, std::span<const Identifier> columns) {
  session_->require_intact();
  return BulkInsert(*session_, table, columns);
}

Dialect Transaction::dialect() const noexcept {
  return session_->dialect();
}

Access Transaction::access() const noexcept {
  return session_->access();
}

Transaction::Savepoint::Savepoint(Session& session) : session_(session), depth_(session.begin_savepoint()) {}

Transaction::Savepoint::~Savepoint() {
  if (!released_) session_.undo_savepoint(depth_);
}

void Transaction::Savepoint::release() {
  session_.release_savepoint(depth_);
  released_ = true;
}

}  // namespace nerve::db
