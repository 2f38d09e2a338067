// SPDX-License-Identifier: Apache-2.0
#include "nerve/reader.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve {

namespace {

constexpr std::string_view tenant_parameter = ":tenant";

/// Whether the statement has the parameter :tenant, and not only one whose name begins so.
bool names_tenant(std::string_view sql) {
  for (std::size_t at = sql.find(tenant_parameter); at != std::string_view::npos;
       at = sql.find(tenant_parameter, at + 1)) {
    const std::size_t end = at + tenant_parameter.size();
    const char next = end < sql.size() ? sql[end] : ' ';
    if (next != '_' && (next < 'a' || next > 'z') && (next < '0' || next > '9')) return true;
  }
  return false;
}

/// The same without owning its octets.
db::Value borrowed(const db::Value& value) {
  return value.type() == db::ValueType::text ? db::Value::borrowed_text(value.as_octets()) : value;
}

std::string_view clause_of(bool is_change, db::Dialect dialect) {
  return is_change ? db::lock_row_clause(dialect) : db::share_row_clause(dialect);
}

}  // namespace

Reader::BoundParameters::BoundParameters(const Reader& reader, std::string_view sql, db::Parameters given)
    : given_(given) {
  if (!names_tenant(sql)) return;
  const Scope& scope = reader.scope_;
  if (scope.reach == Reach::all_tenants) {
    throw Error(ErrorKind::failure, "a statement for one tenant is run across tenants",
                "This is a defect of the module: please report it.");
  }
  extended_.assign(given.begin(), given.end());
  // No tenant: NULL equals no tenant_id.
  extended_.push_back(reader.tenant_parameter());
  is_extended_ = true;
}

void Reader::bound(const RecordType& record, db::Visibility visibility, std::string& sql,
                   std::vector<db::Parameter>& parameters) const {
  if (!record.facts().always.empty()) sql.append(" AND ").append(record.facts().always);
  if (record.facts().is_tenant && scope_.reach == Reach::tenant) {
    sql += " AND id = :tenant";
    parameters.push_back(tenant_parameter());
  }
  if (record.is_tenant_owned()) {
    switch (scope_.reach) {
      case Reach::tenant:
        sql += " AND tenant_id = :tenant";
        parameters.push_back(tenant_parameter());
        break;
      case Reach::workspace:
        sql += " AND FALSE";
        break;
      case Reach::all_tenants:
        break;
    }
  }
  if (record.is_soft_deleted() && visibility != db::Visibility::all) {
    sql.append(" AND ").append(db::visibility_condition(visibility));
  }
}

void Reader::read_rows(const RecordType& record, const Request& asked,
                       const std::function<void(std::span<const db::Cell>)>& on_row) {
  const RecordType::Sql& parts = record.sql();
  constexpr std::size_t added_max = 3;  // key, tenant and limit
  constexpr std::size_t text_usual = 200;
  std::vector<db::Parameter> parameters;
  parameters.reserve(asked.parameters.size() + added_max);
  parameters.assign(asked.parameters.begin(), asked.parameters.end());
  std::string sql;
  sql.reserve(parts.columns.size() + asked.condition.size() + text_usual);
  sql += asked.reads_tenant ? "SELECT tenant_id, " : "SELECT ";
  sql.append(parts.columns).append(" FROM ").append(record.table()).append(" WHERE ");
  if (asked.key) {
    sql.append(record.key().name).append(" = :key");
    parameters.emplace_back("key", borrowed(*asked.key));
  } else {
    sql.append("(").append(asked.condition).append(")");
  }
  bound(record, asked.visibility, sql, parameters);
  if (!asked.order_by.empty()) sql.append(" ORDER BY ").append(asked.order_by);
  if (asked.limit > 0) {
    sql += " LIMIT :limit";
    parameters.emplace_back("limit", asked.limit);
  }
  if (asked.lock != Lock::none) sql += clause_of(asked.lock == Lock::change, dialect());
  std::vector<db::ValueType> types;
  if (asked.reads_tenant) {
    types.push_back(db::ValueType::text);
    types.insert(types.end(), parts.types.begin(), parts.types.end());
  }
  transaction_.prepare(sql).each_cells(std::span<const db::Parameter>(parameters),
                                       asked.reads_tenant ? types : parts.types, on_row);
}

std::string Reader::see_list(const RecordType& record) {
  const std::string_view command = record.facts().command;
  if (command.empty()) return "It may have been removed meanwhile: look for it again.";
  return fmt::format("`nerve-db {} list{}` lists them.", command,
                     record.is_soft_deleted() ? " --with-removed" : "");
}

void Reader::throw_missing(const RecordType& record, const db::Value& key) {
  note_missing(record, key);
  const std::string_view command = record.facts().command;
  bool is_removed = false;
  if (record.is_soft_deleted()) {
    read_rows(record, {.key = key, .visibility = db::Visibility::deleted}, [&](auto) { is_removed = true; });
  }
  if (is_removed) {
    throw NotFoundError(fmt::format("the {} is removed", record.noun()),
                        command.empty() ? "Restore it first."
                                        : fmt::format("Restore it first: nerve-db {} restore ID", command));
  }
  throw NotFoundError(fmt::format("there is no {} with this {}", record.noun(), record.key().name),
                      see_list(record));
}

std::int64_t Reader::count(const RecordType& record, std::string_view condition, db::Parameters given,
                           db::Visibility visibility) {
  std::vector<db::Parameter> parameters(given.begin(), given.end());
  std::string sql = fmt::format("SELECT count(*) FROM {} WHERE ({})", record.table(), condition);
  bound(record, visibility, sql, parameters);
  return transaction_.one<std::int64_t>(sql, std::span<const db::Parameter>(parameters));
}

bool Reader::exists(const RecordType& record, std::string_view condition, db::Parameters given,
                    db::Visibility visibility) {
  std::vector<db::Parameter> parameters(given.begin(), given.end());
  std::string sql = fmt::format("SELECT 1 FROM {} WHERE ({})", record.table(), condition);
  bound(record, visibility, sql, parameters);
  sql += " LIMIT 1";
  return transaction_.maybe<std::int64_t>(sql, std::span<const db::Parameter>(parameters)).has_value();
}

}  // namespace nerve
