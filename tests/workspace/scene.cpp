// SPDX-License-Identifier: Apache-2.0
#include "workspace/scene.h"

#include "embedded_migrations.h"

#include "nerve/core/json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve::test {

namespace {

constexpr std::string_view vault_sql = R"(-- migrate:up
CREATE TABLE vault_items (
  id {{id}} NOT NULL PRIMARY KEY,
  tenant_id {{id}} NOT NULL,
  material {{sealed}},
  deleted_at {{ts}}
) {{strict}};
CREATE TABLE vault_log (number {{num}} NOT NULL PRIMARY KEY, body {{text}}) {{strict}};
-- migrate:down
DROP TABLE vault_log;
DROP TABLE vault_items;
)";

constexpr std::string_view cases_sql = R"(-- migrate:up
CREATE TABLE vault_cases (id {{id}} NOT NULL PRIMARY KEY, item_id {{id}}) {{strict}};
CREATE TABLE vault_notes (id {{id}} NOT NULL PRIMARY KEY, item_id {{id}} NOT NULL, deleted_at {{ts}}) {{strict}};
CREATE TABLE vault_links (id {{id}} NOT NULL PRIMARY KEY, item_id {{id}} NOT NULL) {{strict}};
-- migrate:down
DROP TABLE vault_links;
DROP TABLE vault_notes;
DROP TABLE vault_cases;
)";

void store_item(db::Transaction& transaction, const OutboxMessage& message) {
  const Json payload = parse_json(message.payload, "payload");
  transaction.execute("INSERT INTO vault_items (id, tenant_id) VALUES (:id, :tenant)",
                      {{"id", Uuid::parse(payload.at("item").get<std::string>())}, {"tenant", Uuid()}});
}

class VaultModule final : public Module {
 public:
  std::string_view name() const noexcept override { return "vault"; }
  std::string_view description() const noexcept override { return "items"; }
  std::string_view version() const noexcept override { return "1.0.0"; }
  Placement placement() const noexcept override { return Placement::secure; }
  std::vector<std::string_view> depends_on() const override { return {"workspace"}; }
  std::vector<TableFacts> tables() const override {
    return {{.name = "vault_items",
             .is_soft_deleted = true,
             .is_tenant_owned = true,
             .sealed_columns = {"material"}},
            {.name = "vault_log", .key = {"number"}, .change = Change::append_only}};
  }
  std::vector<OutboxConsumer> consumers() const override {
    return {{"vault.item", Store::secure, [](db::Transaction& transaction, const OutboxMessage& message) {
               receive()(transaction, message);
             }}};
  }
};

class CasesModule final : public Module {
 public:
  std::string_view name() const noexcept override { return "cases"; }
  std::string_view description() const noexcept override { return "references to items"; }
  std::string_view version() const noexcept override { return "1.0.0"; }
  Placement placement() const noexcept override { return Placement::core; }
  std::vector<std::string_view> depends_on() const override { return {"workspace"}; }
  std::vector<TableFacts> tables() const override {
    const auto reference = [](OrphanAction action) {
      return std::vector<CrossStoreReference>{
          {.column = "item_id", .table = "vault_items", .on_orphan = action}};
    };
    return {
        {.name = "vault_cases", .references = reference(OrphanAction::clear)},
        {.name = "vault_notes", .is_soft_deleted = true, .references = reference(OrphanAction::erase)},
        {.name = "vault_links", .references = reference(OrphanAction::report)},
    };
  }
};

}  // namespace

const Module& vault_module() {
  static const VaultModule module;
  return module;
}

const Module& cases_module() {
  static const CasesModule module;
  return module;
}

std::function<void(db::Transaction&, const OutboxMessage&)>& receive() {
  static std::function<void(db::Transaction&, const OutboxMessage&)> work = store_item;
  return work;
}

workspace::Composition composition() {
  static const std::vector<const Module*> modules = [] {
    std::vector<const Module*> all(builtin_modules().begin(), builtin_modules().end());
    all.push_back(&vault_module());
    all.push_back(&cases_module());
    return all;
  }();
  return {.modules = modules, .migrations = [](Store store) {
            std::vector<migrations::EmbeddedFile> files(embedded_migrations().begin(),
                                                        embedded_migrations().end());
            files.push_back({"vault", "0001_create_vault.sql", vault_sql});
            files.push_back({"cases", "0001_create_cases.sql", cases_sql});
            return migrations_of(modules, files, store);
          }};
}

std::int64_t count_of(const jobs::JobRun& run, std::string_view name) {
  const auto found = std::ranges::find(run.report.counts, name, &JobCount::name);
  REQUIRE(found != run.report.counts.end());
  return found->value;
}

}  // namespace nerve::test
