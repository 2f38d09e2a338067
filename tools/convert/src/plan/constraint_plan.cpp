// SPDX-License-Identifier: Apache-2.0
// Keys, checks and foreign keys.
#include "plan/schema_context.h"
#include "sql/postgresql/translate.h"
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::convert {
namespace {

using postgresql::quote_identifier;

std::string_view to_sql(sql::ConflictClause clause) noexcept {
  switch (clause) {
    case sql::ConflictClause::rollback:
      return "ROLLBACK";
    case sql::ConflictClause::fail:
      return "FAIL";
    case sql::ConflictClause::ignore:
      return "IGNORE";
    case sql::ConflictClause::replace:
      return "REPLACE";
    case sql::ConflictClause::none:
    case sql::ConflictClause::abort:
      return "";
  }
  return "";
}

std::string_view to_sql(sql::ReferenceAction action) noexcept {
  switch (action) {
    case sql::ReferenceAction::set_null:
      return "SET NULL";
    case sql::ReferenceAction::set_default:
      return "SET DEFAULT";
    case sql::ReferenceAction::cascade:
      return "CASCADE";
    case sql::ReferenceAction::restrict:
      return "RESTRICT";
    case sql::ReferenceAction::none:
    case sql::ReferenceAction::no_action:
      return "";
  }
  return "";
}

std::string joined_names(const TablePlan& table, const std::vector<std::size_t>& places) {
  std::string names;
  for (const std::size_t place : places) names += (names.empty() ? "" : ", ") + table.columns[place].source;
  return names;
}

bool is_binary(const Key& key) {
  return std::ranges::all_of(key.collations,
                             [](sql::Collation one) { return one == sql::Collation::binary; });
}

/// A column as its collation compares it.
std::string compared(const std::string& column, sql::Collation collation) {
  if (collation == sql::Collation::nocase) return "lower(" + column + " COLLATE \"C\")";
  if (collation == sql::Collation::rtrim) return "rtrim(" + column + ", ' ')";
  return column;
}

/// Plans the keys of one table.
class Keys {
 public:
  Keys(SchemaContext& context, std::size_t table)
      : context_(context),
        defined_(context.defined[table]),
        plan_(context.plan.tables[table]),
        table_(table) {}

  void run() {
    list_not_null_clauses();
    for (const Key& key : defined_.keys) {
      list_clause(key.conflict, joined_names(plan_, key.columns));
      if (!is_repeated(key)) plan_key(key);
    }
  }

 private:
  void list_not_null_clauses() {
    if (!defined_.definition) return;
    for (const sql::ColumnDefinition& column : defined_.definition->columns) {
      const auto* rule = sql::find_rule<sql::NotNull>(column);
      if (rule != nullptr) list_clause(rule->conflict, column.name.text);
    }
  }

  void list_clause(sql::ConflictClause conflict, std::string columns) {
    const std::string_view clause = to_sql(conflict);
    if (clause.empty()) return;
    context_.plan.untranslated.push_back(
        {"conflict clause", std::move(columns), plan_.source,
         fmt::format("PostgreSQL has no ON CONFLICT {} of a constraint: statements say it", clause), ""});
  }

  /// As in SQLite, what the primary key or an earlier one says already makes no index of its own.
  bool is_repeated(const Key& key) const {
    return !key.is_primary && std::ranges::any_of(defined_.keys, [&](const Key& other) {
      return (other.is_primary || &other < &key) && other.columns == key.columns &&
             other.collations == key.collations;
    });
  }

  void plan_key(const Key& key) {
    if (key.is_primary && !has_null(key)) return add_constraint(key, "PRIMARY KEY", "pkey");
    if (key.is_primary) {
      add_untranslated("primary key", key, "there are NULLs in it; the key is UNIQUE instead");
    }
    if (is_binary(key)) return add_constraint(key, "UNIQUE", "key");
    add_unique_index(key);
  }

  /// A primary key is one by its octets, so that foreign keys may name it, and where SQLite compares
  /// otherwise, an index refuses what is equal to SQLite.
  void add_constraint(const Key& key, std::string_view kind, std::string_view suffix) {
    const std::string name = context_.relations.take(key.name.empty() ? default_name(key, suffix) : key.name);
    context_.constraints[table_].reserve(name);
    plan_.after_load.push_back(
        {.object = object_of(key),
         .sql = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} ({})", context_.target_of(table_),
                            quote_identifier(name), kind, column_list(plan_, key.columns)),
         .locks_table = true});
    if (!is_binary(key)) add_unique_index(key);
  }

  void add_unique_index(const Key& key) {
    std::string terms;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const std::string column = quote_identifier(plan_.columns[key.columns[i]].target);
      terms += (terms.empty() ? "" : ", ") + compared(column, key.collations[i]);
    }
    const std::string name = context_.relations.take(default_name(key, "key"));
    plan_.after_load.push_back(
        {object_of(key), fmt::format("CREATE UNIQUE INDEX {} ON {} ({})", quote_identifier(name),
                                     context_.target_of(table_), terms)});
  }

  bool has_null(const Key& key) const {
    return std::ranges::any_of(key.columns,
                               [&](std::size_t place) { return defined_.profile->columns[place].nulls > 0; });
  }

  std::string default_name(const Key& key, std::string_view suffix) const {
    std::string name = plan_.target;
    if (suffix != "pkey") {
      for (const std::size_t place : key.columns) name += "_" + plan_.columns[place].target;
    }
    return fmt::format("{}_{}", name, suffix);
  }

  Untranslated object_of(const Key& key) const {
    return {key.is_primary ? "primary key" : "unique key", joined_names(plan_, key.columns), plan_.source, "",
            ""};
  }

  void add_untranslated(std::string kind, const Key& key, std::string reason) {
    context_.plan.untranslated.push_back(
        {std::move(kind), joined_names(plan_, key.columns), plan_.source, std::move(reason), ""});
  }

  SchemaContext& context_;
  const DefinedTable& defined_;
  TablePlan& plan_;
  std::size_t table_;
};

/// Each CHECK of a definition, of columns and of the table.
template <typename Rule, typename Visit>
void each_rule(const sql::CreateTable& definition, const Visit& visit) {
  for (const sql::ColumnDefinition& column : definition.columns) {
    for (const sql::Constraint& constraint : column.constraints) {
      if (const auto* rule = std::get_if<Rule>(&constraint.rule)) visit(constraint.name.text, *rule, &column);
    }
  }
  for (const sql::Constraint& constraint : definition.constraints) {
    if (const auto* rule = std::get_if<Rule>(&constraint.rule)) visit(constraint.name.text, *rule, nullptr);
  }
}

/// A constraint is first made without a look at the rows, so that it holds from now on also where an old row
/// breaks it.
void add_validated(Plan& plan, Untranslated object, const std::string& table, const std::string& name,
                   const std::string& rule) {
  plan.at_end.push_back({object, fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID", table,
                                             quote_identifier(name), rule)});
  object.kind = "rows under " + object.kind;
  plan.at_end.push_back(
      {.object = std::move(object),
       .sql = fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", table, quote_identifier(name)),
       .needs_previous = true,
       .only_reads = true});
}

/// Whether PostgreSQL takes a foreign key from one type to another: of one type, of one family of operators,
/// or where the child's becomes the parent's by itself.
bool is_comparable(TargetType child, TargetType parent) noexcept {
  const auto is_text = [](TargetType type) {
    return type == TargetType::text || type == TargetType::varchar;
  };
  if (child == parent || (is_text(child) && is_text(parent)) || (is_time(child) && is_time(parent)))
    return true;
  if (parent == TargetType::numeric) return child == TargetType::bigint;
  return parent == TargetType::double_precision &&
         (child == TargetType::bigint || child == TargetType::numeric);
}

/// Plans the foreign keys of one table.
class ForeignKeys {
 public:
  ForeignKeys(SchemaContext& context, std::size_t table)
      : context_(context),
        defined_(context.defined[table]),
        plan_(context.plan.tables[table]),
        table_(table) {}

  void plan_foreign_key(const std::string& name, const sql::ForeignKey& key,
                        const sql::ColumnDefinition* column) {
    std::vector<std::size_t> children;
    if (column != nullptr) add_column(defined_, column->name.text, children);
    for (const sql::Name& one : key.columns) add_column(defined_, one.text, children);
    const std::string& parent_name = key.reference.table.text;
    std::string names = column != nullptr ? column->name.text : "";
    for (const sql::Name& one : key.columns) names += (names.empty() ? "" : ", ") + one.text;
    const Untranslated object{"foreign key", names, plan_.source, "", "REFERENCES " + parent_name};
    const auto refuse = [&](std::string reason) {
      Untranslated refused = object;
      refused.reason = std::move(reason);
      context_.plan.untranslated.push_back(std::move(refused));
    };
    if (children.size() != key.columns.size() + (column != nullptr ? 1 : 0))
      return refuse("a column of it is left out");
    const auto parent = context_.find_table(parent_name);
    if (!parent) return refuse(why_missing(parent_name));
    const DefinedTable& parent_table = context_.defined[*parent];
    std::vector<std::size_t> parents;
    for (const sql::Name& one : key.reference.columns) add_column(parent_table, one.text, parents);
    if (key.reference.columns.empty()) parents = parent_table.primary_key();
    if (parents.size() != children.size() || children.empty())
      return refuse(fmt::format("table {} has no such key", parent_name));
    if (auto reason = why_incomparable(children, *parent, parents); !reason.empty())
      return refuse(std::move(reason));
    const std::string target =
        context_.constraints[table_].take(name.empty() ? default_name(children) : name);
    add_validated(context_.plan, object, context_.target_of(table_), target,
                  fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}){}", column_list(plan_, children),
                              context_.target_of(*parent),
                              column_list(context_.plan.tables[*parent], parents), clauses(key.reference)));
  }

 private:
  static void add_column(const DefinedTable& table, std::string_view name, std::vector<std::size_t>& places) {
    if (const auto place = table.column(name)) places.push_back(*place);
  }

  std::string why_missing(const std::string& name) const {
    const bool is_skipped = std::ranges::any_of(context_.source.skipped, [&](const Untranslated& object) {
      return object.kind == "table" && is_same_name(object.name, name);
    });
    return is_skipped ? fmt::format("table {} is left out by rule", name)
                      : fmt::format("there is no table {}", name);
  }

  /// Empty where PostgreSQL compares the columns of both sides.
  std::string why_incomparable(const std::vector<std::size_t>& children, std::size_t parent,
                               const std::vector<std::size_t>& parents) const {
    for (std::size_t i = 0; i < children.size(); ++i) {
      const ColumnPlan& child = plan_.columns[children[i]];
      const ColumnPlan& other = context_.plan.tables[parent].columns[parents[i]];
      if (is_comparable(child.type.type, other.type.type)) continue;
      return fmt::format("{} is {}, and {}.{} is {}, which PostgreSQL compares by no foreign key",
                         child.source, to_ddl(child.type), context_.plan.tables[parent].source, other.source,
                         to_ddl(other.type));
    }
    return {};
  }

  std::string default_name(const std::vector<std::size_t>& places) const {
    std::string name = plan_.target;
    for (const std::size_t place : places) name += "_" + plan_.columns[place].target;
    return name + "_fkey";
  }

  static std::string clauses(const sql::Reference& reference) {
    std::string text;
    if (const auto action = to_sql(reference.on_delete); !action.empty())
      text += fmt::format(" ON DELETE {}", action);
    if (const auto action = to_sql(reference.on_update); !action.empty())
      text += fmt::format(" ON UPDATE {}", action);
    if (reference.deferral == sql::Deferral::initially_immediate) text += " DEFERRABLE";
    if (reference.deferral == sql::Deferral::initially_deferred) text += " DEFERRABLE INITIALLY DEFERRED";
    return text;
  }

  SchemaContext& context_;
  const DefinedTable& defined_;
  const TablePlan& plan_;
  std::size_t table_;
};

}  // namespace

void plan_keys(SchemaContext& context, std::size_t table) {
  Keys(context, table).run();
}

void plan_checks(SchemaContext& context, std::size_t table) {
  const DefinedTable& defined = context.defined[table];
  if (!defined.definition) return;
  const TablePlan& plan = context.plan.tables[table];
  each_rule<sql::Check>(*defined.definition, [&](const std::string& name, const sql::Check& check,
                                                 const sql::ColumnDefinition* column) {
    const std::string shown = !name.empty() ? name : column != nullptr ? column->name.text : plan.source;
    Untranslated object{"check", shown, plan.source, "", check.text};
    const auto result = translated([&] {
      return sql::translate_condition(*check.condition, defined.environment, {.is_immutable = true});
    });
    if (const auto* translation = std::get_if<sql::Translation>(&result)) {
      const std::string wanted =
          name.empty() ? plan.target + (column != nullptr ? "_" + column->name.text : "") + "_check" : name;
      add_validated(context.plan, std::move(object), context.target_of(table),
                    context.constraints[table].take(wanted), "CHECK (" + translation->sql + ")");
      return;
    }
    object.reason = std::get<sql::Untranslatable>(result).reason;
    context.plan.untranslated.push_back(std::move(object));
  });
}

void plan_foreign_keys(SchemaContext& context, std::size_t table) {
  const DefinedTable& defined = context.defined[table];
  if (!defined.definition) return;
  ForeignKeys keys(context, table);
  each_rule<sql::ForeignKey>(*defined.definition, [&](const std::string& name, const sql::ForeignKey& key,
                                                      const sql::ColumnDefinition* column) {
    keys.plan_foreign_key(name, key, column);
  });
}

}  // namespace nerve::convert
