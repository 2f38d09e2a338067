// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"
#include "catalogue/postgresql_table.h"
#include "export/sql_order.h"
#include "section_reader.h"

#include "nerve/core/error.h"
#include "nerve/migrations/schema_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace nerve::migrations {

namespace {

/// Writes the statements one after the other; what can only be said when all objects are there comes last.
class SqlWriter {
 public:
  explicit SqlWriter(const Catalogue& catalogue) : catalogue_(catalogue) {}

  std::string write() {
    const bool has_functions = catalogue_.count(ObjectKind::function) > 0;
    for (const std::string& extension : catalogue_.extensions) {
      add("CREATE EXTENSION IF NOT EXISTS " + written(extension));
    }
    // The bodies of functions may name tables that come later.
    if (has_functions) add("SET LOCAL check_function_bodies = off");
    for (const Object* object : in_creation_order(catalogue_)) {
      if (catalogue_.dialect == db::Dialect::postgresql) {
        write_for_postgresql(*object);
      } else {
        add(object->definition);
      }
      made_.insert(object->name);
    }
    for (const std::string& statement : last_) add(statement);
    return std::move(text_);
  }

 private:
  std::string written(std::string_view name) const { return written_name(name, catalogue_.dialect); }

  void add(std::string_view statement) {
    if (!text_.empty()) text_ += '\n';
    text_.append(statement).append(";\n");
  }

  void write_for_postgresql(const Object& object) {
    if (object.kind == ObjectKind::table) return write_table(object);
    add(object.definition);
    if (object.kind == ObjectKind::sequence && !object.properties.empty()) {
      last_.push_back(fmt::format("ALTER SEQUENCE {} {}", written(object.name), object.properties.front()));
    }
    if (object.kind == ObjectKind::trigger && !object.properties.empty()) {
      const std::string_view firing = object.properties.front();
      const std::string_view words = firing == "DISABLED" ? "DISABLE"
                                     : firing == "ALWAYS" ? "ENABLE ALWAYS"
                                                          : "ENABLE REPLICA";
      add(fmt::format("ALTER TABLE {} {} TRIGGER {}", written(object.table), words, written(object.name)));
    }
  }

  void write_table(const Object& table) {
    const auto is_inside = [&](const Constraint& constraint) {
      if (!can_stand_inside(constraint)) return false;
      if (constraint.kind != ConstraintKind::foreign_key) return true;
      return constraint.referral->table == table.name || made_.contains(constraint.referral->table);
    };
    add(create_table_sql(table, is_inside));
    for (const Constraint& constraint : table.constraints) {
      if (is_inside(constraint)) continue;
      last_.push_back(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", written(table.name),
                                  written(constraint.name), constraint.definition));
    }
    for (const std::string_view property : {"ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"}) {
      if (!table.has_property(property)) continue;
      add(fmt::format("ALTER TABLE {} {}{}", written(table.name),
                      property.starts_with("FORCE") ? "" : "ENABLE ", property));
    }
  }

  const Catalogue& catalogue_;
  std::string text_;
  std::set<std::string, std::less<>> made_;
  std::vector<std::string> last_;
};

/// What a migration file would take for its own words (docs/migrations.md).
void require_plain(const Catalogue& catalogue) {
  for (const Object& object : catalogue.objects) {
    const std::string text = "-- migrate:up\n" + object.definition;
    SectionReader reader(text, catalogue.dialect);
    SectionLine line;
    reader.next(line);
    while (reader.next(line)) {
      if (line.kind == SectionLine::Kind::text) continue;
      throw UnsupportedError(
          fmt::format("{} holds \"{}\", which means something else in a migration", object.title(),
                      line.text.substr(0, line.text.find(':') + 1)),
          "Export the schema (`nerve-db schema export`) and write the first migration from it by hand.");
    }
  }
}

}  // namespace

std::string to_sql(const Catalogue& catalogue) {
  return SqlWriter(catalogue).write();
}

std::string to_baseline_migration(const Catalogue& catalogue, std::string_view database) {
  if (database.find('\n') != std::string_view::npos) {
    throw ValidationError("the name of a database with a line break", "Name it without one.");
  }
  require_plain(catalogue);
  // SQL that only one engine reads: the other finds an empty migration.
  return fmt::format(
      "-- description: the schema of {}, as it was found\n"
      "-- irreversible: it is the beginning: restore a backup instead\n"
      "-- migrate:up\n"
      "-- dialect:{}\n"
      "{}"
      "-- dialect:end\n",
      database, db::to_string(catalogue.dialect), to_sql(catalogue));
}

}  // namespace nerve::migrations
