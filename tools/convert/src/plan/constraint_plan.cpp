// SPDX-License-Identifier: Apache-2.0
// Keys, checks and foreign keys.
#include "plan/schema_context.h"
#include "sql/postgresql/translate.h"
#include "sql/tokens.h"
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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

std::set<std::size_t> set_of(const std::vector<std::size_t>& places) {
  return {places.begin(), places.end()};
}

/// The keys of a table as its planned columns compare: by octets where the collation is one that only the
/// application has.
std::vector<Key> keys_of(const DefinedTable& table, const TablePlan& plan) {
  std::vector<Key> keys = table.keys;
  for (Key& key : keys) {
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const bool is_unknown = key.collations[i] == sql::Collation::unknown;
      if (is_unknown || !may_be_text(plan.columns[key.columns[i]]))
        key.collations[i] = sql::Collation::binary;
    }
  }
  return keys;
}

bool is_binary(const Key& key) {
  return std::ranges::all_of(key.collations,
                             [](sql::Collation one) { return one == sql::Collation::binary; });
}

/// "t_a_b_key"
std::string default_name(const TablePlan& table, const std::vector<std::size_t>& places,
                         std::string_view suffix) {
  std::string name = table.target;
  for (const std::size_t place : places) name += "_" + table.columns[place].target;
  return fmt::format("{}_{}", name, suffix);
}

/// A key by the octets of its columns, so that foreign keys may name it.
void add_plain_key(SchemaContext& context, std::size_t table, Untranslated object,
                   std::string_view wanted_name, std::string_view kind,
                   const std::vector<std::size_t>& places) {
  std::string name = context.relations.take(wanted_name);
  while (context.constraints[table].has(name)) name = context.relations.take(wanted_name);
  context.constraints[table].reserve(name);
  context.unique[table].push_back({set_of(places), true});
  TablePlan& plan = context.plan.tables[table];
  plan.after_load.push_back(
      {.object = std::move(object),
       .sql = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} ({})", context.target_of(table),
                          quote_identifier(name), kind, column_list(plan, places)),
       .locks_table = true});
}

/// Plans the keys of one table.
class Keys {
 public:
  Keys(SchemaContext& context, std::size_t table)
      : context_(context),
        defined_(context.defined[table]),
        plan_(context.plan.tables[table]),
        table_(table),
        keys_(keys_of(defined_, plan_)) {}

  void run() {
    list_not_null_clauses();
    list_unknown_collations();
    for (const Key& key : keys_) {
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

  void list_unknown_collations() {
    for (const Key& key : defined_.keys) {
      for (std::size_t i = 0; i < key.columns.size(); ++i) {
        if (key.collations[i] != sql::Collation::unknown || !may_be_text(plan_.columns[key.columns[i]]))
          continue;
        add_untranslated(key.is_primary ? "primary key" : "unique key", key,
                         "it is by a collation that only its application has, and becomes one by octets");
        break;
      }
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
    return !key.is_primary && std::ranges::any_of(keys_, [&](const Key& other) {
      return (other.is_primary || &other < &key) && other.columns == key.columns &&
             other.collations == key.collations;
    });
  }

  void plan_key(const Key& key) {
    if (!is_binary(key) && std::ranges::any_of(key.columns, [&](std::size_t place) {
          return plan_.columns[place].type.type == TargetType::bytea;
        })) {
      return add_untranslated(key.is_primary ? "primary key" : "unique key", key,
                              "PostgreSQL compares texts that are bytea by no collation");
    }
    const bool has_json = std::ranges::any_of(key.columns, [&](std::size_t place) { return is_json(place); });
    if (key.is_primary && !has_null(key) && !has_json)
      return add_constraint(key, "PRIMARY KEY", default_name(plan_, {}, "pkey"));
    if (key.is_primary) {
      add_untranslated("primary key", key,
                       has_json ? "PostgreSQL compares no json; its texts are unique instead"
                                : "there are NULLs in it; the key is UNIQUE instead");
    }
    if (is_binary(key) && !has_json)
      return add_constraint(key, "UNIQUE", default_name(plan_, key.columns, "key"));
    add_unique_index(key);
  }

  /// A primary key is one by its octets, and where SQLite compares otherwise, an index refuses what is equal
  /// to SQLite.
  void add_constraint(const Key& key, std::string_view kind, const std::string& usual_name) {
    add_plain_key(context_, table_, object_of(key), key.name.empty() ? usual_name : key.name, kind,
                  key.columns);
    if (!is_binary(key)) add_unique_index(key);
  }

  void add_unique_index(const Key& key) {
    std::string terms;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      terms += (terms.empty() ? "" : ", ") + compared(plan_.columns[key.columns[i]], key.collations[i]);
    }
    const std::string name = context_.relations.take(default_name(plan_, key.columns, "key"));
    context_.unique[table_].push_back({set_of(key.columns), false});
    plan_.after_load.push_back(
        {object_of(key), fmt::format("CREATE UNIQUE INDEX {} ON {} ({})", quote_identifier(name),
                                     context_.target_of(table_), terms)});
  }

  bool is_json(std::size_t place) const { return plan_.columns[place].type.type == TargetType::json; }

  bool has_null(const Key& key) const {
    return std::ranges::any_of(key.columns,
                               [&](std::size_t place) { return defined_.profile->columns[place].nulls > 0; });
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
  std::vector<Key> keys_;
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
                   const std::string& rule, bool joins_by_sort = false) {
  plan.at_end.push_back({object, fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID", table,
                                             quote_identifier(name), rule)});
  object.kind = "rows under " + object.kind;
  plan.at_end.push_back(
      {.object = std::move(object),
       .sql = fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", table, quote_identifier(name)),
       .needs_previous = true,
       .only_reads = true,
       .joins_by_sort = joins_by_sort});
}

/// With more rows, a hash table of a parent's integers outgrows the cache of a processor, and each row of the
/// child waits for memory; a sort takes two thirds of the time. For text a hash table remains the faster one.
constexpr std::int64_t hashed_rows_max = 100'000;

bool is_sorted_sooner(const TablePlan& parent, const std::vector<std::size_t>& key) {
  return parent.rows > hashed_rows_max && key.size() == 1 &&
         parent.columns[key.front()].type.type == TargetType::bigint;
}

/// Whether PostgreSQL takes a foreign key from one type to another: of one type, of one family of operators,
/// or where the child's becomes the parent's by itself.
bool is_comparable(TargetType child, TargetType parent) noexcept {
  if (child == TargetType::json) return false;
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
    if (set_of(parents).size() != parents.size()) return refuse("it names a column of the parent twice");
    if (auto reason = why_not_computed(children, key.reference); !reason.empty())
      return refuse(std::move(reason));
    if (!have_plain_key(*parent, parents))
      return refuse(fmt::format("no key and no index makes {} unique in table {}",
                                joined_names(context_.plan.tables[*parent], parents), parent_name));
    note_comparison(names, *parent, parents);
    const std::string target =
        context_.constraints[table_].take(name.empty() ? default_name(plan_, children, "fkey") : name);
    add_validated(context_.plan, object, context_.target_of(table_), target,
                  fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}){}", column_list(plan_, children),
                              context_.target_of(*parent),
                              column_list(context_.plan.tables[*parent], parents), clauses(key.reference)),
                  is_sorted_sooner(context_.plan.tables[*parent], parents));
  }

 private:
  static void add_column(const DefinedTable& table, std::string_view name, std::vector<std::size_t>& places) {
    if (const auto place = table.column(name)) places.push_back(*place);
  }

  std::string why_missing(const std::string& name) const {
    const bool is_skipped = std::ranges::any_of(context_.source.skipped, [&](const Untranslated& object) {
      return object.kind == "table" && sql::equals_folded(object.name, name);
    });
    if (is_skipped) return fmt::format("table {} is left out by rule", name);
    const bool is_unread = std::ranges::any_of(context_.source.left_out, [&](const sqlite::Table& table) {
      return sql::equals_folded(table.name, name);
    });
    return is_unread ? fmt::format("table {} is left out", name) : fmt::format("there is no table {}", name);
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

  /// Empty where PostgreSQL lets the actions write the child's columns, none of which it may have computed.
  std::string why_not_computed(const std::vector<std::size_t>& children,
                               const sql::Reference& reference) const {
    const auto is_loaded = [&](std::size_t place) { return plan_.columns[place].is_loaded; };
    if (std::ranges::all_of(children, is_loaded)) return {};
    const auto writes = [](sql::ReferenceAction action) {
      return action == sql::ReferenceAction::set_null || action == sql::ReferenceAction::set_default;
    };
    const bool updates = writes(reference.on_update) || reference.on_update == sql::ReferenceAction::cascade;
    if (!updates && !writes(reference.on_delete)) return {};
    return "its action would write a column that PostgreSQL computes";
  }

  /// SQLite compares by the collations of the parent's columns.
  void note_comparison(const std::string& names, std::size_t parent,
                       const std::vector<std::size_t>& parents) {
    bool ignores_case = false;
    bool ignores_spaces = false;
    for (const std::size_t place : parents) {
      if (!is_text(context_.plan.tables[parent].columns[place].type.type)) continue;
      const sql::Collation collation = context_.defined[parent].environment.columns[place].collation;
      ignores_case = ignores_case || collation == sql::Collation::nocase;
      ignores_spaces = ignores_spaces || collation == sql::Collation::rtrim;
    }
    if (!ignores_case && !ignores_spaces) return;
    const std::string_view disregarded = !ignores_spaces ? "case"
                                         : ignores_case  ? "case or trailing spaces"
                                                         : "trailing spaces";
    context_.plan.notes.push_back(fmt::format(
        "foreign key {} of {} compares without regard to {} in SQLite, and by octets in PostgreSQL", names,
        plan_.source, disregarded));
  }

  /// Has the parent get a key of these columns by their octets, where it has one by another collation only.
  /// Returns whether there is one.
  bool have_plain_key(std::size_t parent, const std::vector<std::size_t>& places) {
    const std::vector<UniqueColumns>& unique = context_.unique[parent];
    const std::set<std::size_t> wanted = set_of(places);
    const auto is_wanted = [&](const UniqueColumns& one) { return one.places == wanted; };
    if (std::ranges::none_of(unique, is_wanted)) return false;
    const auto is_plain = [&](const UniqueColumns& one) { return is_wanted(one) && one.is_plain; };
    if (std::ranges::any_of(unique, is_plain)) return true;
    const TablePlan& table = context_.plan.tables[parent];
    add_plain_key(context_, parent, {"unique key", joined_names(table, places), table.source, "", ""},
                  default_name(table, places, "key"), "UNIQUE", places);
    return true;
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
