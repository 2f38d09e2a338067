// SPDX-License-Identifier: Apache-2.0
#include "nerve/change.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve {

namespace {

[[noreturn]] void throw_defect(const std::string& what) {
  throw Error(ErrorKind::failure, what, "This is a defect of the module: please report it.");
}

std::string key_of(const RecordType& record, const void* row) {
  std::string key;
  for (const Field& field : record.fields()) {
    if (!field.is_key && field.name != "id") continue;
    const Json value = json_of(field, field.value_in(row));
    key += (key.empty() ? "" : "/") + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return key;
}

void set(const Field& field, void* row, const db::Value& value) {
  field.type->decode(field.member(row), cell_of(value));
}

/// "id = :KEY_id AND …": no column has a name with capitals.
std::string key_condition(const RecordType& record, const void* row, std::vector<std::string>& names,
                          std::vector<db::Parameter>& parameters) {
  std::string condition;
  names.reserve(names.size() + record.fields().size());
  for (const Field& field : record.fields()) {
    if (!field.is_key && field.name != "id") continue;
    names.push_back(fmt::format("KEY_{}", field.name));
    condition += fmt::format("{}{} = :{}", condition.empty() ? "" : " AND ", field.name, names.back());
    parameters.emplace_back(names.back(), field.value_in(row).kept());
  }
  return condition;
}

/// Core writes them, whatever a struct holds.
bool is_kept_by_core(const Field& field) {
  return field.name == "created_at" || field.name == "updated_at" || field.name == "deleted_at";
}

/// PostgreSQL writes JSON in its own way.
bool is_same(const Field& field, const db::Value& left, const db::Value& right) {
  return left == right || (field.kind == FieldKind::json && json_of(field, left) == json_of(field, right));
}

std::optional<TenantId> tenant_of(const RecordType& record, const Scope& scope) {
  return record.is_tenant_owned() ? scope.only_tenant() : std::nullopt;
}

}  // namespace

void Change::add(ChangeEntry entry) {
  if (entry.record != nullptr && !entry.record->facts().is_recorded) return;
  entries_.push_back(std::move(entry));
  // A copy: handlers may add entries of their own.
  const ChangeEntry added = entries_.back();
  events_.publish(*this, RecordChanged{added});
}

void Change::complete(const RecordType& record, void* row) const {
  for (const Field& field : record.fields()) {
    if (field.name == "id" && field.kind == FieldKind::id) {
      if (field.value_in(row) == db::Parameter("", Uuid()).value)
        set(field, row, db::Parameter("", new_uuid()).value);
    } else if (field.name == "created_at" || field.name == "updated_at") {
      set(field, row, db::Parameter("", now()).value);
    }
  }
}

bool Change::insert_row(const RecordType& record, void* row) {
  if (record.facts().is_tenant && scope_.reach == Reach::tenant)
    throw DeniedError("a tenant makes no tenants", "That is for the whole workspace.");
  complete(record, row);
  const std::vector<db::Value> values = record.values_in(row);
  std::vector<db::Parameter> parameters;
  parameters.reserve(values.size() + 2);
  ChangeEntry entry{.action = Action::created, .record = &record, .tenant = tenant_of(record, scope_)};
  for (std::size_t index = 0; index < values.size(); ++index) {
    const Field& field = record.fields()[index];
    parameters.emplace_back(field.name, values[index]);
    if (values[index].type() != db::ValueType::null)
      entry.fields.push_back({&field, {}, values[index].kept()});
  }
  if (record.is_tenant_owned()) {
    if (scope_.reach != Reach::tenant)
      throw_defect(fmt::format("a {} is made outside of a tenant", record.noun()));
    parameters.emplace_back("tenant_id", scope_.tenant);
  }
  if (record.facts().has_creator) {
    const bool is_user = scope_.actor.kind == ActorKind::user;
    parameters.emplace_back("created_by", is_user ? scope_.actor.id : std::nullopt);
  }
  if (transaction_.execute(record.sql().insert, std::span<const db::Parameter>(parameters)) != 1)
    return false;
  entry.key = key_of(record, row);
  add(std::move(entry));
  return true;
}

void Change::throw_taken(const RecordType& record, const void* row) const {
  const Field* natural = record.natural_key();
  if (natural == nullptr) {
    throw ConflictError(fmt::format("there is such a {} already", record.noun()),
                        "Use that one, or change what tells the new one apart.");
  }
  const Json value = json_of(*natural, natural->value_in(row));
  throw ConflictError(fmt::format("there is a {} with the {} {} already", record.noun(), natural->name,
                                  value.is_string() ? value.get<std::string>() : value.dump()),
                      fmt::format("Choose another {}; a removed {} keeps its own and can be restored.",
                                  natural->name, record.noun()));
}

void Change::read_again(const RecordType& record, void* row) {
  std::vector<std::string> names;
  std::vector<db::Parameter> parameters;
  const std::string condition = key_condition(record, row, names, parameters);
  read_rows(record,
            {.condition = condition,
             .parameters = std::span<const db::Parameter>(parameters),
             .visibility = db::Visibility::all},
            [&](std::span<const db::Cell> cells) { record.decode(row, cells); });
}

void Change::update_row(const RecordType& record, std::span<const db::Value> before, void* row,
                        const std::optional<TenantId>& owner) {
  ChangeEntry entry{
      .action = Action::changed, .record = &record, .tenant = owner ? owner : tenant_of(record, scope_)};
  std::vector<db::Parameter> parameters;
  std::string list;
  for (std::size_t index = 0; index < before.size(); ++index) {
    const Field& field = record.fields()[index];
    const db::Value& old_value = before[index];
    const db::Value new_value = field.value_in(row);
    if (is_kept_by_core(field) || is_same(field, old_value, new_value)) continue;
    if (field.is_key || field.is_immutable || field.name == "id")
      throw_defect(fmt::format("{}.{} never changes", record.table(), field.name));
    list += fmt::format("{}{} = :{}", list.empty() ? "" : ", ", field.name, field.name);
    parameters.emplace_back(field.name, new_value.kept());
    entry.fields.push_back({&field, old_value.kept(), new_value.kept()});
  }
  if (entry.fields.empty()) return;
  std::vector<std::string> names;
  std::string sql = fmt::format("UPDATE {} SET {} WHERE {}", record.table(), list,
                                key_condition(record, row, names, parameters));
  bound(record, db::Visibility::all, sql, parameters);
  if (owner) {
    sql += " AND tenant_id = :OWNER";
    parameters.emplace_back("OWNER", *owner);
  }
  if (transaction_.execute(sql, std::span<const db::Parameter>(parameters)) != 1)
    throw NotFoundError(fmt::format("the {} is gone", record.noun()), "Look for it again.");
  entry.key = key_of(record, row);
  read_again(record, row);
  add(std::move(entry));
}

void Change::put_row(const RecordType& record, void* row) {
  std::vector<std::string> names;
  std::vector<db::Parameter> parameters;
  const std::string condition = key_condition(record, row, names, parameters);
  if (insert_row(record, row)) return;
  std::vector<db::Value> held;
  read_rows(record,
            {.condition = condition,
             .parameters = std::span<const db::Parameter>(parameters),
             .visibility = db::Visibility::all,
             .lock = Lock::change},
            [&](std::span<const db::Cell> cells) {
              for (std::size_t index = 0; index < cells.size(); ++index)
                held.push_back(value_of(record.fields()[index], cells[index]));
            });
  if (held.empty()) throw_taken(record, row);
  update_row(record, held, row, std::nullopt);
}

void Change::move_row(const RecordType& record, const db::Value& key, bool is_removal) {
  std::optional<Timestamp> deleted_at;
  bool is_found = false;
  const Field* mark = record.find("deleted_at");
  if (mark == nullptr) throw_defect(fmt::format("a {} cannot be removed", record.noun()));
  const auto place = static_cast<std::size_t>(mark - record.fields().data());
  read_rows(record, {.key = key, .visibility = db::Visibility::all, .lock = Lock::change},
            [&](std::span<const db::Cell> cells) {
              is_found = true;
              deleted_at = db::Codec<std::optional<Timestamp>>::decode(cells[place]);
            });
  if (!is_found || (is_removal && deleted_at)) throw_missing(record, key);
  if (!is_removal && !deleted_at) {
    throw ConflictError(fmt::format("the {} is not removed", record.noun()), "There is nothing to do.");
  }
  const std::optional<Timestamp> mark_now = is_removal ? std::optional(now()) : std::nullopt;
  std::vector<db::Parameter> parameters{{"deleted_at", mark_now}, {"key", key}};
  std::string sql = fmt::format("UPDATE {} SET deleted_at = :deleted_at WHERE {} = :key", record.table(),
                                record.key().name);
  bound(record, db::Visibility::all, sql, parameters);
  transaction_.execute(sql, std::span<const db::Parameter>(parameters));
  add({.action = is_removal ? Action::removed : Action::restored,
       .record = &record,
       .key = std::string(key.as_octets()),
       .tenant = tenant_of(record, scope_),
       .fields = {{mark, db::Parameter("", deleted_at).value.kept(), parameters.front().value.kept()}}});
}

void Change::clear_field(const RecordType& record, const db::Value& key, const Field& field) {
  const auto place = static_cast<std::size_t>(&field - record.fields().data());
  db::Value before;
  bool is_found = false;
  read_rows(record, {.key = key, .visibility = db::Visibility::all, .lock = Lock::change},
            [&](std::span<const db::Cell> cells) {
              is_found = true;
              before = value_of(field, cells[place]);
            });
  if (!is_found) throw_missing(record, key);
  if (before.type() == db::ValueType::null) return;
  std::vector<db::Parameter> parameters{{"key", key}};
  std::string sql =
      fmt::format("UPDATE {} SET {} = NULL WHERE {} = :key", record.table(), field.name, record.key().name);
  bound(record, db::Visibility::all, sql, parameters);
  transaction_.execute(sql, std::span<const db::Parameter>(parameters));
  add({.action = Action::changed,
       .record = &record,
       .key = std::string(key.as_octets()),
       .tenant = tenant_of(record, scope_),
       .fields = {{&field, std::move(before), {}}}});
}

void Change::note_missing(const RecordType& record, const db::Value& key) {
  // Whoever asks a tenant for records that it does not have may be looking for those of others.
  if (tenant_of(record, scope_))
    refusals_.push_back({.action = Action::refused,
                         .record = &record,
                         .key = std::string(key.as_octets()),
                         .tenant = tenant_of(record, scope_),
                         .name = "not_found"});
}

void Change::note(std::string_view name, const Json& details) {
  add({.action = Action::noted, .tenant = scope_.only_tenant(), .name = name, .details = details.dump()});
}

void Change::note_refusal(std::string_view name, const Json& details) {
  refusals_.push_back(
      {.action = Action::refused, .tenant = scope_.only_tenant(), .name = name, .details = details.dump()});
}

void Change::finish(ChangeSink sink) {
  // What is done last may ask for more to be done last.
  while (!last_.empty()) {
    const auto work = std::move(last_.front());
    last_.erase(last_.begin());
    work(*this);
  }
  if (sink != nullptr && !entries_.empty()) sink(*this, std::vector<ChangeEntry>(entries_));
}

}  // namespace nerve
