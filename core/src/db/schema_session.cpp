// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/schema_session.h"

#include "session.h"

namespace nerve::db {

void SchemaSession::execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) {
  session_.execute_alone(sql, lock_timeout);
}

Dialect SchemaSession::dialect() const noexcept {
  return session_.dialect();
}

}  // namespace nerve::db
