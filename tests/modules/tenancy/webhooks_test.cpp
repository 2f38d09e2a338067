// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/webhooks.h"

#include "modules/migrated_store.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/tenants.h"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

using namespace nerve;
using tenancy::NewWebhook;
using tenancy::Tenants;
using tenancy::Webhook;
using tenancy::Webhooks;
using test::MigratedStore;
using test::Sqlite;

CONFORMANCE_TEST("a webhook keeps its URL and events, and of its secret the hash only") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  const TenantId acme = Tenants(store.open()).create({.name = "Acme"}).id;
  Webhooks webhooks(store.open());
  const std::string text = "0123456789abcdef0123456789abcdef";
  const Secret secret = Secret::copy_of(std::as_bytes(std::span(text)));
  webhooks.add(acme, {.name = "alerts",
                      .url = "https://hooks.example:8443/in?x=1",
                      .events = {"tenant.created", "tenant.deleted"},
                      .secret = &secret});
  const std::vector<Webhook> listed = webhooks.list(acme);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].url == "https://hooks.example:8443/in?x=1");
  CHECK(listed[0].events == std::vector<std::string>{"tenant.created", "tenant.deleted"});
  // printf 0123456789abcdef0123456789abcdef | sha256sum
  CHECK(listed[0].secret_hash == "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9");
  CHECK(store.database().read([&](db::Transaction& t) {
    return t.one<std::int64_t>("SELECT count(*) FROM webhooks WHERE secret_hash = :text", {{"text", text}});
  }) == 0);
}

CONFORMANCE_TEST("a tenant sees and deletes its own webhooks only, and a name is used once in it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  Webhooks webhooks(store.open());
  const TenantId acme = tenants.create({.name = "Acme"}).id;
  const TenantId globex = tenants.create({.name = "Globex"}).id;
  const NewWebhook alerts{.name = "alerts", .url = "https://hooks.example/in"};
  const Webhook made = webhooks.add(acme, alerts);
  CHECK_NOTHROW(webhooks.add(globex, alerts));
  CHECK_THROWS_AS(webhooks.add(acme, alerts), ConflictError);
  CHECK(webhooks.list(acme).size() == 1);
  CHECK_THROWS_AS(webhooks.erase(globex, made.id), NotFoundError);
  webhooks.erase(acme, made.id);
  CHECK(webhooks.list(acme).empty());
  CHECK_THROWS_AS(webhooks.add(acme, alerts), ConflictError);  // the deleted one can be restored
  webhooks.restore(acme, made.id);
  CHECK(webhooks.list(acme).size() == 1);
  CHECK_THROWS_AS(webhooks.add(TenantId(new_uuid()), alerts), NotFoundError);
}

TEST_CASE("only https URLs with a host and without credentials are taken") {
  MigratedStore<Sqlite> store;
  const TenantId acme = Tenants(store.open()).create({.name = "Acme"}).id;
  Webhooks webhooks(store.open());
  int number = 0;
  const auto is_taken = [&](const std::string& url) {
    try {
      webhooks.add(acme, {.name = "hook " + std::to_string(++number), .url = url});
      return true;
    } catch (const ValidationError&) {
      return false;
    }
  };
  for (const std::string url : {"https://hooks.example", "https://hooks.example/", "https://192.0.2.7:8443/x",
                                "https://[2001:db8::1]/x", "https://xn--mller-kva.example/a?b=c"}) {
    CHECK_MESSAGE(is_taken(url), url);
  }
  for (const std::string url :
       {"http://hooks.example", "https://", "https:///path", "ftp://hooks.example",
        "https://user:secret@hooks.example/", "https://hooks.example /", "hooks.example",
        "https://hooks example/", "https://bad_host/x", "javascript:alert(1)"}) {
    CHECK_MESSAGE(!is_taken(url), url);
  }
  const std::string text = "too short";
  const Secret secret = Secret::copy_of(std::as_bytes(std::span(text)));
  CHECK_THROWS_AS(webhooks.add(acme, {.name = "weak", .url = "https://hooks.example", .secret = &secret}),
                  ValidationError);
}
