// SPDX-License-Identifier: Apache-2.0
// Messages from the core store to the secure one. Each test runs on SQLite files and on two PostgreSQL
// databases.
#include "nerve/outbox.h"

#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/jobs/runner.h"
#include "nerve/workspace/module_checks.h"
#include "nerve/workspace/outbox.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

using namespace nerve;
using test::count_of;
using test::Scene;

namespace {

/// Restores what the vault does with messages.
class ReceiverOverride {
 public:
  explicit ReceiverOverride(std::function<void(Change&, const OutboxMessage&)> work)
      : before_(test::receive()) {
    test::receive() = std::move(work);
  }
  ReceiverOverride(const ReceiverOverride&) = delete;
  ReceiverOverride& operator=(const ReceiverOverride&) = delete;
  ~ReceiverOverride() { test::receive() = before_; }

 private:
  std::function<void(Change&, const OutboxMessage&)> before_;
};

template <class Engine>
OutboxMessageId send_item(Scene<Engine>& scene, const Uuid& item = new_uuid()) {
  return scene.core().change(Scope().narrowed_to(system_tenant), [&](Change& change) {
    return workspace::send_message(change, "vault.item", Json{{"item", item.to_string()}});
  });
}

template <class Engine>
jobs::JobRun drain(Scene<Engine>& scene) {
  return jobs::run_jobs(scene.stores(), {.job = "outbox-drain"}).front();
}

template <class Engine>
std::int64_t items(Scene<Engine>& scene) {
  return scene.template ask<std::int64_t>(Store::secure, "SELECT count(*) FROM vault_items");
}

health::Check check_of(Stores& stores, std::string_view id) {
  health::Report report;
  const health::Skipped none;
  health::Checklist checklist(report, none);
  workspace::add_module_checks(stores, checklist);
  for (health::Check& check : report.checks) {
    if (check.id == id) return std::move(check);
  }
  FAIL("there is no such check");
  return {};
}

}  // namespace

CONFORMANCE_TEST("a message is there only if its transaction committed, and its work is done once") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  CHECK_THROWS_AS(scene.core().change(
                      Scope(),
                      [&](Change& change) {
                        workspace::send_message(change, "vault.item", Json{{"item", new_uuid().to_string()}});
                        throw ConflictError("changed my mind", "Go on.");
                      }),
                  ConflictError);
  CHECK(count_of(drain(scene), "delivered") == 0);
  send_item(scene);
  CHECK(count_of(drain(scene), "delivered") == 1);
  CHECK(count_of(drain(scene), "delivered") == 0);
  CHECK(items(scene) == 1);
}

CONFORMANCE_TEST("a message whose delivery was not noted comes again and finds its receipt") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  send_item(scene);
  drain(scene);
  // As after a crash between the receiver's commit and the sender's.
  scene.execute(Store::core, "UPDATE outbox_messages SET state = 'pending', delivered_at = NULL");
  const jobs::JobRun run = drain(scene);
  CHECK(count_of(run, "delivered") == 0);
  CHECK(count_of(run, "repeated") == 1);
  CHECK(items(scene) == 1);
}

CONFORMANCE_TEST(
    "messages of a topic arrive in order, and wait behind one that fails until it succeeds or is dead") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  std::vector<std::int64_t> arrived;
  bool refuses_second = true;
  const ReceiverOverride receiver([&](Change&, const OutboxMessage& message) {
    if (refuses_second && message.number == 2) throw IntegrityError("the item is odd", "Look at it.");
    arrived.push_back(message.number);
  });
  for (int i = 0; i < 4; ++i) send_item(scene);
  const jobs::JobRun first = drain(scene);
  CHECK(first.outcome == jobs::Outcome::partial);
  CHECK(first.report.problems.front().find("the item is odd") != std::string::npos);
  CHECK(arrived == std::vector<std::int64_t>{1});
  CHECK(drain(scene).outcome == jobs::Outcome::succeeded);  // not yet time to try again
  CHECK(arrived == std::vector<std::int64_t>{1});
  scene.clock().advance(workspace::pause_first);
  refuses_second = false;
  CHECK(count_of(drain(scene), "delivered") == 3);
  CHECK(arrived == std::vector<std::int64_t>{1, 2, 3, 4});
}

CONFORMANCE_TEST("a message is dead after its last attempt, health shows it, and retry revives it") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  bool is_broken = true;
  const ReceiverOverride receiver([&](Change&, const OutboxMessage& message) {
    if (is_broken && message.number == 1) throw UnsupportedError("not this version", "Update.");
  });
  const OutboxMessageId id = send_item(scene);
  send_item(scene);
  CHECK(check_of(scene.stores(), "outbox.dead_letters").status == health::Status::ok);
  for (int i = 0; i < workspace::attempts_max; ++i) {
    CHECK(count_of(drain(scene), "failed") == 1);
    scene.clock().advance(workspace::pause_max);
  }
  CHECK(check_of(scene.stores(), "outbox.dead_letters").status == health::Status::warning);
  const auto dead = scene.core().read(Scope(), [](Reader& reader) {
    return reader.select(workspace::outbox_messages, "state = 'dead'", {});
  });
  REQUIRE(dead.size() == 1);
  CHECK(dead.front().id == id);
  CHECK(dead.front().attempts == workspace::attempts_max);
  CHECK(dead.front().last_error == "unsupported: not this version");
  CHECK(scene.template ask<std::int64_t>(
            Store::core, "SELECT count(*) FROM outbox_messages WHERE state = 'delivered'") == 1);

  is_broken = false;
  scene.core().change(Scope(), [&](Change& change) { CHECK(workspace::revive(change, id)); });
  CHECK(count_of(drain(scene), "delivered") == 1);
  CHECK(check_of(scene.stores(), "outbox.dead_letters").status == health::Status::ok);
}

CONFORMANCE_TEST("a message that nobody receives is tried and kept, and an old pending one is a warning") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  scene.core().change(
      Scope(), [&](Change& change) { workspace::send_message(change, "nobody.listens", Json::object()); });
  CHECK(drain(scene).report.problems.front().find("no module receives the topic nobody.listens") !=
        std::string::npos);
  CHECK(check_of(scene.stores(), "outbox.backlog").status == health::Status::ok);
  scene.clock().advance(std::chrono::hours(2));
  CHECK(check_of(scene.stores(), "outbox.backlog").status == health::Status::warning);
}

CONFORMANCE_TEST("senders at once number their messages without a gap, in the order of their commits") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const OpenStore core = scene.core();
  constexpr int each = 25;
  std::vector<std::thread> senders;
  senders.reserve(4);
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([&core] {
      for (int n = 0; n < each; ++n) {
        core.change(Scope(),
                    [](Change& change) { workspace::send_message(change, "vault.item", Json::object()); });
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(scene.template ask<std::int64_t>(Store::core, "SELECT max(number) FROM outbox_messages") == 4 * each);
  CHECK(scene.template ask<std::int64_t>(Store::core, "SELECT count(*) FROM outbox_messages") == 4 * each);
}

CONFORMANCE_TEST(
    "the purge removes what was delivered long ago, and keeps the receipt of what may come again") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  send_item(scene);
  const OutboxMessageId again = send_item(scene);
  drain(scene);
  scene.core().database.write([&](db::Transaction& t) {
    t.execute("UPDATE outbox_messages SET state = 'pending', delivered_at = NULL WHERE id = :id",
              {{"id", again}});
  });
  const auto purge = [&](bool is_dry_run) {
    return jobs::run_jobs(scene.stores(), {.job = "outbox-purge", .is_dry_run = is_dry_run}).front();
  };
  CHECK(count_of(purge(false), "messages") == 0);
  scene.clock().advance(std::chrono::days(31));
  CHECK(count_of(purge(true), "messages") == 1);
  CHECK(count_of(purge(false), "messages") == 1);
  CHECK(scene.template ask<std::int64_t>(Store::core, "SELECT count(*) FROM outbox_messages") == 1);
  CHECK(scene.template ask<std::int64_t>(Store::secure, "SELECT count(*) FROM outbox_receipts") == 1);
  CHECK(count_of(drain(scene), "repeated") == 1);
  CHECK(items(scene) == 2);
}
