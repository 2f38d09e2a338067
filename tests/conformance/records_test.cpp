// SPDX-License-Identifier: Apache-2.0
// Soft deletion and safe updates: how records are changed so that nothing is lost unseen.
#include "support/engine.h"

#include "nerve/core/error.h"
#include "nerve/db/safe_update.h"
#include "nerve/db/soft_delete.h"

#include <string>

using namespace nerve;

namespace {

const Timestamp day_one = Timestamp::parse("2024-01-01T00:00:00Z");
const Timestamp day_two = Timestamp::parse("2024-01-02T00:00:00Z");

db::Value key(std::int64_t id) {
  return db::Value::integer(id);
}

void create_users(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE users (id {{num}} PRIMARY KEY, email {{text}} NOT NULL, "
                         "role {{text}}, active {{bool}}, deleted_at {{ts}}) {{strict}}",
                         transaction.dialect()));
    for (int id = 1; id <= 3; ++id) {
      transaction.execute("INSERT INTO users(id, email, active) VALUES (:id, :email, :active)",
                          {{"id", id}, {"email", "u" + std::to_string(id)}, {"active", true}});
    }
  });
}

}  // namespace

CONFORMANCE_TEST("a soft-deleted row is left out of reads, can be restored, and is told apart") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_users(*database);
  const db::SoftDeletion users("users");
  database->write([&](db::Transaction& transaction) {
    CHECK(users.erase(transaction, key(2), day_one));
    CHECK_FALSE(users.erase(transaction, key(2), day_two));  // already marked: the first time stands
    CHECK_FALSE(users.erase(transaction, key(9), day_one));
    CHECK(users.count(transaction) == 2);
    CHECK(users.count(transaction, db::Visibility::deleted) == 1);
    CHECK(users.count(transaction, db::Visibility::all) == 3);
    CHECK_FALSE(users.exists(transaction, key(2)));
    CHECK(users.exists(transaction, key(2), db::Visibility::deleted));
    CHECK(users.deleted_at(transaction, 2) == day_one);  // a key that Codec binds serves as well as a Value
    CHECK(users.deleted_at(transaction, key(1)) == std::nullopt);
    CHECK(users.restore(transaction, key(2)));
    CHECK_FALSE(users.restore(transaction, key(2)));
    CHECK(users.count(transaction) == 3);
  });
}

CONFORMANCE_TEST("a purge removes only what was deleted before the time given, and no more than the limit") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_users(*database);
  const db::SoftDeletion users("users");
  database->write([&](db::Transaction& transaction) {
    users.erase(transaction, key(1), day_one);
    users.erase(transaction, key(2), day_one);
    users.erase(transaction, key(3), day_two);
    CHECK(users.purge(transaction, day_one, 10) == 0);
    CHECK(users.purge(transaction, day_two, 1) == 1);
    CHECK(users.purge(transaction, day_two, 10) == 1);
    CHECK(users.count(transaction, db::Visibility::all) == 1);
    CHECK(users.restore(transaction, key(3)));
  });
}

CONFORMANCE_TEST("a safe update returns old and new values of what changed, and only of that") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_users(*database);
  const auto changes = database->write([](db::Transaction& transaction) {
    return db::SafeUpdate("users")
        .set("email", "new@example.org")
        .set("role", std::optional<std::string>("admin"))
        .set("active", true)
        .run(transaction, key(2));
  });
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].column == "email");
  CHECK(changes[0].old_value.as_octets() == "u2");
  CHECK(changes[0].new_value.as_octets() == "new@example.org");
  CHECK(changes[1].column == "role");
  CHECK(changes[1].old_value.type() == db::ValueType::null);
  CHECK(changes[1].new_value.as_octets() == "admin");
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string, std::string>("SELECT email, role FROM users WHERE id = 2");
  }) == std::tuple<std::string, std::string>("new@example.org", "admin"));
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT email FROM users WHERE id = 1");
  }) == "u1");
}

CONFORMANCE_TEST("a safe update that a rule refuses changes nothing") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_users(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    db::SafeUpdate("users")
        .set("role", "admin")
        .check([](const std::vector<db::ColumnChange>& changes) {
          CHECK(changes.at(0).new_value.as_octets() == "admin");
          throw DeniedError("nobody may become admin");
        })
        .run(transaction, key(1));
  }),
                  DeniedError);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    db::SafeUpdate("users").set("role", "admin").run(transaction, key(99));
  }),
                  NotFoundError);
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<int>("SELECT count(*) FROM users WHERE role IS NOT NULL");
  }) == 0);
}

CONFORMANCE_TEST("a safe update can set NULL") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_users(*database);
  const auto changes = database->write([](db::Transaction& transaction) {
    db::SafeUpdate("users").set("role", "x").run(transaction, key(1));
    return db::SafeUpdate("users").set("role", std::optional<std::string>()).run(transaction, key(1));
  });
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].old_value.as_octets() == "x");
  CHECK(changes[0].new_value.type() == db::ValueType::null);
}

TEST_CASE("only names that both engines read alike become identifiers") {
  CHECK(db::Identifier("audit_log").quoted() == "\"audit_log\"");
  for (const char* name : {"", "Users", "1st", "a b", "a\"b", "a;drop", "naïve", "_x",
                           "a234567890123456789012345678901234567890123456789012345678901234"}) {
    INFO(name);
    CHECK_THROWS_AS(db::Identifier{name}, ValidationError);
  }
}
