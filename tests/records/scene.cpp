// SPDX-License-Identifier: Apache-2.0
#include "records/scene.h"

#include "nerve/core/error.h"

namespace nerve::test {

namespace {

constexpr Field gadget_fields[] = {
    field<&Gadget::id>("id").listed(),
    field<&Gadget::name>("name").natural_key().listed(),
    field<&Gadget::kind>("kind").listed(),
    field<&Gadget::amount>("amount").listed(),
    field<&Gadget::weight>("weight"),
    field<&Gadget::is_sold>("is_sold"),
    field<&Gadget::tags>("tags"),
    field<&Gadget::settings>("settings").json(),
    field<&Gadget::photo>("photo").immutable(),
    field<&Gadget::sold_at>("sold_at"),
    field<&Gadget::remark>("remark").personal(),
    field<&Gadget::created_at>("created_at"),
    field<&Gadget::updated_at>("updated_at"),
    field<&Gadget::deleted_at>("deleted_at"),
};

constexpr Field switch_fields[] = {
    field<&Switch::place>("place").key(),
    field<&Switch::number>("number").key(),
    field<&Switch::is_on>("is_on"),
};

constexpr std::string_view tables = R"(
CREATE TABLE gadgets (
  id {{id}} NOT NULL PRIMARY KEY, tenant_id {{id}} NOT NULL, name {{text}} NOT NULL, kind {{text}} NOT NULL,
  amount {{num}} NOT NULL, weight {{real}}, is_sold {{bool}} NOT NULL, tags {{json}} NOT NULL,
  settings {{json}} NOT NULL, photo {{bytes}}, sold_at {{ts}}, remark {{text}}, created_at {{ts}} NOT NULL,
  updated_at {{ts}} NOT NULL, created_by {{id}}, deleted_at {{ts}}, UNIQUE (tenant_id, name));
CREATE TABLE switches (
  place {{text}} NOT NULL, number {{num}} NOT NULL, is_on {{bool}} NOT NULL, PRIMARY KEY (place, number));
CREATE TABLE seen (number {{num}} NOT NULL PRIMARY KEY, entry {{text}} NOT NULL);
)";

/// As {{tenant_wall(gadgets)}} makes it.
constexpr std::string_view wall = R"(
ALTER TABLE gadgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE gadgets FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON gadgets
  USING (tenant_id = CAST(nullif(nullif(current_setting('nerve.tenant', true), ''), '*') AS uuid));
CREATE POLICY of_all_tenants ON gadgets USING (current_setting('nerve.tenant', true) = '*');
)";

}  // namespace

constinit const Record<Gadget> gadgets(
    {.table = "gadgets", .noun = "gadget", .command = "gadget", .is_tenant_owned = true, .has_creator = true},
    gadget_fields);
constinit const Record<Switch> switches({.table = "switches", .noun = "switch"}, switch_fields);

std::string gadget_schema(db::Dialect dialect) {
  std::string sql = with_types(tables, dialect);
  if (dialect == db::Dialect::postgresql) sql += wall;
  return sql;
}

void write_gadget_entries(Change& change, std::span<const ChangeEntry> entries) {
  for (const ChangeEntry& entry : entries) {
    std::string text(db::enum_text(entry.action));
    text += entry.record == nullptr ? "" : " " + std::string(entry.record->noun());
    text += entry.name.empty() ? "" : " " + std::string(entry.name);
    for (const FieldChange& field : entry.fields) {
      if (entry.action == Action::created && field.field->name != "name") continue;
      text += " " + std::string(field.field->name) + ":" + std::string(field.before.as_octets()) + ">" +
              std::string(field.after.as_octets());
      if (field.after.as_octets() == "unwanted") throw ConflictError("it is not wanted", "Take another.");
    }
    text += entry.tenant == ours.tenant ? " ours" : entry.tenant ? " theirs" : "";
    change.execute("INSERT INTO seen (number, entry) SELECT coalesce(max(number), 0) + 1, :entry FROM seen",
                   {{"entry", text}});
  }
}

}  // namespace nerve::test
