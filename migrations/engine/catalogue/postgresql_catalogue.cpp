// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"
#include "catalogue/postgresql_queries.h"
#include "catalogue/postgresql_table.h"
#include "catalogue/read_catalogue.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_map>

namespace nerve::migrations {

namespace {

namespace queries = postgresql_queries;

std::vector<std::string> names_of(const Json& list) {
  return list.is_null() ? std::vector<std::string>() : list.get<std::vector<std::string>>();
}

std::string action_of(std::string_view letter) {
  if (letter == "c") return "CASCADE";
  if (letter == "n") return "SET NULL";
  if (letter == "d") return "SET DEFAULT";
  return letter == "r" ? "RESTRICT" : "";
}

ConstraintKind constraint_kind_of(std::string_view letter) {
  if (letter == "p") return ConstraintKind::primary_key;
  if (letter == "u") return ConstraintKind::unique;
  if (letter == "f") return ConstraintKind::foreign_key;
  return letter == "x" ? ConstraintKind::exclusion : ConstraintKind::check;
}

std::string_view firing_of(std::string_view letter) {
  if (letter == "D") return "DISABLED";
  if (letter == "A") return "ALWAYS";
  return letter == "R" ? "REPLICA" : "";
}

struct RelationRow {
  std::string kind;
  bool is_unlogged = false;
  bool has_row_security = false;
  bool forces_row_security = false;
  std::vector<std::string> options;
  std::string partition_key;
  std::string bound;
  std::vector<std::string> parents;
};

void set_properties(Object& object, const RelationRow& row) {
  auto& properties = object.properties;
  if (row.is_unlogged) properties.emplace_back("UNLOGGED");
  if (!row.bound.empty() && !row.parents.empty()) {
    object.parent = row.parents.front();
    properties.push_back(fmt::format("PARTITION OF {} {}", written(object.parent), row.bound));
  } else if (!row.parents.empty()) {
    std::vector<std::string> parents;
    for (const std::string& parent : row.parents) parents.push_back(written(parent));
    properties.push_back(fmt::format("INHERITS ({})", fmt::join(parents, ", ")));
  }
  if (!row.partition_key.empty()) properties.push_back("PARTITION BY " + row.partition_key);
  if (!row.options.empty()) properties.push_back(fmt::format("WITH ({})", fmt::join(row.options, ", ")));
  if (row.has_row_security) properties.emplace_back("ROW LEVEL SECURITY");
  if (row.forces_row_security) properties.emplace_back("FORCE ROW LEVEL SECURITY");
}

std::string without_only(const std::string& index) {
  for (const db::SqlToken& token : tokens_of(index, db::Dialect::postgresql)) {
    if (token.is_symbol('(')) break;
    if (token.is("only"))
      return index.substr(0, token.offset) + index.substr(token.offset + token.text.size() + 1);
  }
  return index;
}

/// Reads one schema, query by query.
class Reader {
 public:
  Reader(db::Transaction& transaction, const LeftOut& left_out)
      : transaction_(transaction), left_out_(left_out) {}

  Catalogue read() {
    find_schema();
    transaction_.each<std::string>(
        queries::extensions, {}, [&](std::string name) { catalogue_.extensions.push_back(std::move(name)); });
    read_relations();
    read_columns();
    read_constraints();
    read_sequences();
    read_indexes();
    read_triggers();
    read_plain(queries::policies, ObjectKind::policy);
    read_plain(queries::rules, ObjectKind::rule);
    read_plain(queries::statistics, ObjectKind::statistics);
    read_functions();
    read_types();
    define_tables();
    read_dependencies();
    return std::move(catalogue_);
  }

 private:
  void find_schema() {
    catalogue_.dialect = db::Dialect::postgresql;
    auto found = transaction_.maybe<std::int64_t, std::string>(queries::schema);
    if (!found) {
      throw NotFoundError("no schema of the search_path is there",
                          "Make one (CREATE SCHEMA), or set the role's search_path to one that is there.");
    }
    std::tie(schema_, catalogue_.schema) = std::move(*found);
  }

  Object* find(std::int64_t id) {
    const auto found = positions_.find(id);
    return found == positions_.end() ? nullptr : &catalogue_.objects[found->second];
  }

  void add(Object object) {
    if (left_out_.contains(object.table)) return;
    object.definition = without_schema(object.definition, catalogue_.schema);
    while (object.definition.ends_with('\n') || object.definition.ends_with(';'))
      object.definition.pop_back();
    positions_.emplace(object.id, catalogue_.objects.size());
    catalogue_.objects.push_back(std::move(object));
  }

  void read_relations() {
    transaction_.each<std::int64_t, std::string, std::string, bool, bool, bool, Json, std::string,
                      std::string, Json, std::string>(
        queries::relations, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, const std::string& kind, bool is_unlogged,
            bool has_row_security, bool forces_row_security, const Json& options, std::string partition_key,
            std::string bound, const Json& parents, const std::string& query) {
          if (left_out_.contains(name)) return;
          Object object;
          object.id = id;
          object.name = std::move(name);
          set_properties(object, {kind, is_unlogged, has_row_security, forces_row_security, names_of(options),
                                  std::move(partition_key), std::move(bound), names_of(parents)});
          if (kind == "v" || kind == "m") {
            object.kind = kind == "v" ? ObjectKind::view : ObjectKind::materialized_view;
            define_view(object, query);
          }
          add(std::move(object));
        });
  }

  static void define_view(Object& view, std::string_view query) {
    while (query.starts_with(' ')) query.remove_prefix(1);
    std::string options;
    for (const std::string& property : view.properties) {
      if (property.starts_with("WITH (")) options = ' ' + property;
    }
    view.definition =
        fmt::format("CREATE {} {}{} AS {}", view.kind == ObjectKind::view ? "VIEW" : "MATERIALIZED VIEW",
                    written(view.name), options, query);
  }

  void read_columns() {
    transaction_.each<std::int64_t, std::string, std::string, bool, std::optional<std::string>, bool,
                      std::string, std::string, int>(
        queries::columns, {{"schema", schema_}},
        [&](std::int64_t table, std::string name, std::string type, bool is_not_null,
            std::optional<std::string> expression, bool is_generated, const std::string& identity,
            std::string collation, int key_position) {
          Object* object = find(table);
          if (object == nullptr) return;
          Column column;
          column.name = std::move(name);
          column.type = std::move(type);
          column.is_not_null = is_not_null;
          column.is_stored = is_generated;
          if (is_generated) {
            column.generated = expression.value_or("");
          } else {
            column.default_value = std::move(expression);
          }
          if (!identity.empty()) column.identity = identity == "a" ? "ALWAYS" : "BY DEFAULT";
          column.collation = std::move(collation);
          column.key_position = key_position;
          object->columns.push_back(std::move(column));
        });
  }

  void read_constraints() {
    transaction_.each<std::int64_t, std::string, std::string, std::string, Json, std::string, Json,
                      std::string, std::string>(
        queries::constraints, {{"schema", schema_}},
        [&](std::int64_t table, std::string name, const std::string& kind, const std::string& definition,
            const Json& columns, std::string parent, const Json& parent_columns, const std::string& on_delete,
            const std::string& on_update) {
          Object* object = find(table);
          if (object == nullptr) return;
          Constraint constraint{constraint_kind_of(kind), std::move(name), names_of(columns),
                                without_schema(definition, catalogue_.schema)};
          if (constraint.kind == ConstraintKind::foreign_key) {
            constraint.referral = {std::move(parent), names_of(parent_columns), action_of(on_delete),
                                   action_of(on_update)};
          }
          object->constraints.push_back(std::move(constraint));
        });
  }

  void read_sequences() {
    transaction_.each<std::int64_t, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
                      std::int64_t, std::int64_t, bool, bool, std::string, std::string>(
        queries::sequences, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, std::string type, std::int64_t start, std::int64_t increment,
            std::int64_t value_min, std::int64_t value_max, std::int64_t cache, bool cycles, bool is_identity,
            std::string table, const std::string& column) {
          const std::string options =
              sequence_options({type, start, increment, value_min, value_max, cache, cycles});
          if (is_identity) return add_identity(table, column, options);
          Object object;
          object.kind = ObjectKind::sequence;
          object.id = id;
          object.name = std::move(name);
          object.definition = fmt::format("CREATE SEQUENCE {} AS {}{}{}", written(object.name), type,
                                          options.empty() ? "" : " ", options);
          if (!table.empty()) {
            object.properties.push_back(fmt::format("OWNED BY {}.{}", written(table), written(column)));
            object.table = std::move(table);
          }
          add(std::move(object));
        });
  }

  void add_identity(const std::string& table, const std::string& column, const std::string& options) {
    if (options.empty()) return;
    for (Object& object : catalogue_.objects) {
      if (object.kind != ObjectKind::table || object.name != table) continue;
      for (Column& found : object.columns) {
        if (found.name == column) found.identity += " (" + options + ")";
      }
    }
  }

  void read_indexes() {
    transaction_.each<std::int64_t, std::string, std::string, std::string, bool, bool, bool>(
        queries::indexes, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, std::string table, std::string definition, bool is_unique,
            bool is_partial, bool is_valid) {
          Object object;
          object.kind = ObjectKind::index;
          object.id = id;
          object.name = std::move(name);
          object.table = std::move(table);
          object.keys = index_keys(definition, db::Dialect::postgresql);
          // Of a partitioned table's index ONLY is said, which would leave out the partitions.
          object.definition = is_valid ? without_only(definition) : std::move(definition);
          if (is_unique) object.properties.emplace_back("UNIQUE");
          if (is_partial) object.properties.emplace_back("PARTIAL");
          if (!is_valid) object.properties.emplace_back("INVALID");
          add(std::move(object));
        });
  }

  void read_triggers() {
    transaction_.each<std::int64_t, std::string, std::string, std::string, std::string>(
        queries::triggers, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, std::string table, std::string definition,
            const std::string& firing) {
          Object object;
          object.kind = ObjectKind::trigger;
          object.id = id;
          object.name = std::move(name);
          object.table = std::move(table);
          object.definition = std::move(definition);
          if (const auto property = firing_of(firing); !property.empty())
            object.properties.emplace_back(property);
          add(std::move(object));
        });
  }

  /// Objects of a table of which nothing but the definition matters.
  void read_plain(std::string_view query, ObjectKind kind) {
    transaction_.each<std::int64_t, std::string, std::string, std::string>(
        query, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, std::string table, std::string definition) {
          Object object;
          object.kind = kind;
          object.id = id;
          object.name = std::move(name);
          object.table = std::move(table);
          object.definition = std::move(definition);
          add(std::move(object));
        });
  }

  void read_functions() {
    transaction_.each<std::int64_t, std::string, std::string, std::string>(
        queries::functions, {{"schema", schema_}},
        [&](std::int64_t id, const std::string& name, const std::string& arguments, std::string definition) {
          Object object;
          object.kind = ObjectKind::function;
          object.id = id;
          object.name = fmt::format("{}({})", name, arguments);
          object.definition = std::move(definition);
          add(std::move(object));
        });
  }

  void read_types() {
    transaction_.each<std::int64_t, std::string, std::string>(
        queries::types, {{"schema", schema_}},
        [&](std::int64_t id, std::string name, std::string definition) {
          Object object;
          object.kind = ObjectKind::type;
          object.id = id;
          object.name = std::move(name);
          object.definition = std::move(definition);
          add(std::move(object));
        });
  }

  void define_tables() {
    for (Object& object : catalogue_.objects) {
      if (object.kind == ObjectKind::table) object.definition = create_table_sql(object, can_stand_inside);
    }
  }

  void read_dependencies() {
    transaction_.each<std::int64_t, std::int64_t>(
        queries::dependencies, {}, [&](std::int64_t dependent, std::int64_t dependency) {
          Object* object = find(dependent);
          // A sequence that a column owns is there before the column's default is.
          if (object == nullptr || object->kind == ObjectKind::sequence || dependent == dependency) return;
          if (find(dependency) != nullptr) object->depends_on.push_back(dependency);
        });
    for (Object& object : catalogue_.objects) {
      if (object.parent.empty()) continue;
      const Object* parent = catalogue_.find(ObjectKind::table, object.parent);
      if (parent != nullptr) object.depends_on.push_back(parent->id);
    }
  }

  db::Transaction& transaction_;
  const LeftOut& left_out_;
  Catalogue catalogue_;
  std::int64_t schema_ = 0;
  std::unordered_map<std::int64_t, std::size_t> positions_;
};

}  // namespace

Catalogue read_postgresql_catalogue(db::Transaction& transaction, const LeftOut& left_out) {
  return Reader(transaction, left_out).read();
}

}  // namespace nerve::migrations
