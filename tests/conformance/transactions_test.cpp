// SPDX-License-Identifier: Apache-2.0
#include "support/engine.h"

#include "nerve/core/error.h"

#include <string>

using namespace nerve;

namespace {

void create_accounts(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE accounts (id {{num}} PRIMARY KEY, balance {{num}} NOT NULL "
                         "CHECK (balance >= 0)) {{strict}}",
                         transaction.dialect()));
  });
}

void add_account(db::Transaction& transaction, int id, int balance) {
  transaction.execute("INSERT INTO accounts(id, balance) VALUES (:id, :balance)",
                      {{"id", id}, {"balance", balance}});
}

int count_accounts(db::Database& database) {
  return database.read(
      [](db::Transaction& transaction) { return transaction.one<int>("SELECT count(*) FROM accounts"); });
}

}  // namespace

CONFORMANCE_TEST("write commits what the closure did and returns what it returned") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  const std::string answer = database->write([](db::Transaction& transaction) {
    add_account(transaction, 1, 10);
    return std::string("done");
  });
  CHECK(answer == "done");
  CHECK(count_accounts(*database) == 1);
}

CONFORMANCE_TEST("write rolls back when the closure throws, whatever it throws") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    add_account(transaction, 1, 10);
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    add_account(transaction, 1, 10);
    throw 42;
  }),
                  int);
  CHECK(count_accounts(*database) == 0);
}

CONFORMANCE_TEST("read refuses to change anything") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  const auto refused = [&](auto work) {
    try {
      database->read(work);
      FAIL("accepted");
    } catch (const DatabaseError& error) {
      CHECK(error.kind() == ErrorKind::denied);
      CHECK_FALSE(error.hint().empty());
    }
  };
  refused([](db::Transaction& transaction) { add_account(transaction, 1, 1); });
  refused([](db::Transaction& transaction) { transaction.execute("CREATE TABLE more (id int)"); });
  refused([](db::Transaction& transaction) { transaction.execute_script("DELETE FROM accounts"); });
  refused([](db::Transaction& transaction) {
    auto bulk = transaction.bulk_insert("accounts", {"id", "balance"});
    bulk.add(1, 1);
    bulk.finish();
  });
  CHECK(count_accounts(*database) == 0);
}

CONFORMANCE_TEST("read sees one snapshot while others commit") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  database->read([&](db::Transaction& transaction) {
    CHECK(transaction.one<int>("SELECT count(*) FROM accounts") == 0);
    const auto other = engine.open();
    other->write([](db::Transaction& writer) { add_account(writer, 1, 10); });
    CHECK(transaction.one<int>("SELECT count(*) FROM accounts") == 0);
  });
  CHECK(count_accounts(*database) == 1);
}

CONFORMANCE_TEST("a savepoint undoes only its own work, at any depth") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  database->write([](db::Transaction& transaction) {
    add_account(transaction, 1, 1);
    transaction.savepoint([&] {
      add_account(transaction, 2, 2);
      CHECK_THROWS_AS(transaction.savepoint([&] {
        add_account(transaction, 3, 3);
        transaction.savepoint([&] { add_account(transaction, 4, 4); });
        throw std::runtime_error("undo three and four");
      }),
                      std::runtime_error);
      add_account(transaction, 5, 5);
    });
    const int six = transaction.savepoint([&] {
      add_account(transaction, 6, 6);
      return 6;
    });
    CHECK(six == 6);
  });
  const auto sum = database->read([](db::Transaction& transaction) {
    return transaction.one<int>("SELECT CAST(sum(balance) AS INTEGER) FROM accounts");
  });
  CHECK(sum == 1 + 2 + 5 + 6);
}

CONFORMANCE_TEST("a statement that fails inside a savepoint leaves the transaction usable") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  database->write([](db::Transaction& transaction) {
    add_account(transaction, 1, 1);
    for (int round = 0; round < 3; ++round) {
      CHECK_THROWS_AS(transaction.savepoint([&] { add_account(transaction, 1, 1); }), DatabaseError);
    }
    add_account(transaction, 2, 2);
  });
  CHECK(count_accounts(*database) == 2);
}

CONFORMANCE_TEST("a swallowed error is found at commit and nothing is kept") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  try {
    database->write([](db::Transaction& transaction) {
      add_account(transaction, 1, 1);
      try {
        add_account(transaction, 1, 1);
      } catch (const DatabaseError&) {
      }
    });
    FAIL("committed");
  } catch (const TransactionError& error) {
    CHECK(error.outcome() == TransactionError::Outcome::rolled_back);
  }
  CHECK(count_accounts(*database) == 0);
}

CONFORMANCE_TEST("after a swallowed error no further statement runs") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    try {
      add_account(transaction, 1, -5);
    } catch (const DatabaseError&) {
    }
    CHECK_THROWS_AS(add_account(transaction, 2, 5), TransactionError);
    CHECK_THROWS_AS(transaction.savepoint([&] { add_account(transaction, 3, 5); }), TransactionError);
    CHECK_THROWS_AS(transaction.execute_script("DELETE FROM accounts"), TransactionError);
  }),
                  TransactionError);
  CHECK(count_accounts(*database) == 0);
}

CONFORMANCE_TEST("a constraint that is checked at COMMIT fails the write and keeps nothing") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE parents (id int PRIMARY KEY)");
    transaction.execute(
        "CREATE TABLE children (parent int REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)");
  });
  try {
    database->write([](db::Transaction& transaction) {
      transaction.execute("INSERT INTO children(parent) VALUES (:p)", {{"p", 1}});
    });
    FAIL("committed");
  } catch (const DatabaseError& error) {
    CHECK(error.kind() == ErrorKind::conflict);
  }
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<int>("SELECT count(*) FROM children");
  }) == 0);
}

CONFORMANCE_TEST("foreign keys are enforced") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE parents (id int PRIMARY KEY)");
    transaction.execute("CREATE TABLE children (parent int REFERENCES parents(id))");
  });
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    transaction.execute("INSERT INTO children(parent) VALUES (:p)", {{"p", 1}});
  }),
                  DatabaseError);
}

CONFORMANCE_TEST("each kind of constraint has its kind of error") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_accounts(*database);
  const auto kind_of = [&](const std::string& sql) {
    try {
      database->write([&](db::Transaction& transaction) {
        add_account(transaction, 1, 1);
        transaction.execute(sql);
      });
    } catch (const DatabaseError& error) {
      CHECK_FALSE(error.code().empty());
      CHECK_FALSE(error.hint().empty());
      return error.kind();
    }
    return ErrorKind::cancelled;
  };
  CHECK(kind_of("INSERT INTO accounts(id, balance) VALUES (1, 2)") == ErrorKind::conflict);
  CHECK(kind_of("INSERT INTO accounts(id, balance) VALUES (2, -2)") == ErrorKind::invalid);
  CHECK(kind_of("INSERT INTO accounts(id, balance) VALUES (2, NULL)") == ErrorKind::invalid);
  CHECK(kind_of("INSERT INTO missing(id) VALUES (2)") == ErrorKind::failure);
  CHECK(kind_of("INSERT INTO accounts(id, balance) VALUES (2, 'text')") == ErrorKind::invalid);
}

TEST_CASE("a write inside a write on one SQLite file is refused at once") {
  const test::Sqlite engine;
  const auto database = engine.open();
  const auto same_file = engine.open();
  create_accounts(*database);
  CHECK_THROWS_WITH_AS(database->write([&](db::Transaction&) { database->write([](db::Transaction&) {}); }),
                       doctest::Contains("a write inside a write"), Error);
  CHECK_THROWS_AS(database->write([&](db::Transaction&) { same_file->write([](db::Transaction&) {}); }),
                  Error);
  database->write([&](db::Transaction& transaction) {
    add_account(transaction, 1, 1);
    // Reading beside it is fine, and sees what was committed before.
    CHECK(count_accounts(*database) == 0);
  });
}
