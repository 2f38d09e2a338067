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
{{tenant_wall(vault_items)}};
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

struct VaultItem {
  Uuid id = {};
  std::optional<std::string> material = {};
  std::optional<Timestamp> deleted_at = {};
};
struct VaultLine {
  std::int64_t number = 0;
  std::string body;
};
/// A row that names an item.
struct ItemReference {
  Uuid id = {};
  Uuid item_id = {};
};
struct ItemCase {
  Uuid id = {};
  std::optional<Uuid> item_id = {};
};
struct ItemNote {
  Uuid id = {};
  Uuid item_id = {};
  std::optional<Timestamp> deleted_at = {};
};

constexpr Field item_fields[] = {field<&VaultItem::id>("id"),
                                 field<&VaultItem::material>("material").sealed(),
                                 field<&VaultItem::deleted_at>("deleted_at")};
constexpr Field line_fields[] = {field<&VaultLine::number>("number").key(), field<&VaultLine::body>("body")};
constexpr Field case_fields[] = {
    field<&ItemCase::id>("id"),
    field<&ItemCase::item_id>("item_id").refers_across("vault_items", OrphanAction::clear)};
constexpr Field note_fields[] = {
    field<&ItemNote::id>("id"),
    field<&ItemNote::item_id>("item_id").refers_across("vault_items", OrphanAction::remove),
    field<&ItemNote::deleted_at>("deleted_at")};
constexpr Field link_fields[] = {field<&ItemReference::id>("id"),
                                 field<&ItemReference::item_id>("item_id").refers_across("vault_items")};

constinit const Record<VaultItem> items({.table = "vault_items", .noun = "item", .is_tenant_owned = true},
                                        item_fields);
constinit const Record<VaultLine> lines(
    {.table = "vault_log", .noun = "line", .writing = Writing::append_only}, line_fields);
constinit const Record<ItemCase> cases({.table = "vault_cases", .noun = "case"}, case_fields);
constinit const Record<ItemNote> notes({.table = "vault_notes", .noun = "note"}, note_fields);
constinit const Record<ItemReference> links({.table = "vault_links", .noun = "link"}, link_fields);

void store_item(Change& change, const OutboxMessage& message) {
  const Json payload = parse_json(message.payload, "payload");
  change.execute("INSERT INTO vault_items (id, tenant_id) VALUES (:id, :tenant)",
                 {{"id", Uuid::parse(payload.at("item").get<std::string>())}});
}

const Module vault{
    .name = "vault",
    .description = "items",
    .version = "1.0.0",
    .placement = Placement::secure,
    .depends_on = {"workspace"},
    .records = {&items, &lines},
    .consumers = {{"vault.item", Store::secure,
                   [](Change& change, const OutboxMessage& message) { receive()(change, message); }}}};

const Module cases_definition{.name = "cases",
                              .description = "references to items",
                              .version = "1.0.0",
                              .placement = Placement::core,
                              .depends_on = {"workspace"},
                              .records = {&cases, &notes, &links}};

}  // namespace

const Module& vault_module() {
  return vault;
}

const Module& cases_module() {
  return cases_definition;
}

std::function<void(Change&, const OutboxMessage&)>& receive() {
  static std::function<void(Change&, const OutboxMessage&)> work = store_item;
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
