// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/catalogue.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// The schema as SQL that makes it again in an empty database of the same engine.
///
/// Objects stand in an order that works; foreign keys of PostgreSQL's tables that refer to each other come at
/// the end. To be run in one transaction (psql -1, or as a migration). Extensions are made where they are
/// not.
std::string to_sql(const Catalogue& catalogue);

/// The same as the text of a first migration (0001_baseline.sql) for the catalogue's engine, which has no way
/// back. `database` is named in its description; it must not hold a line break. Throws UnsupportedError that
/// names an object whose definition would mean something else in a migration: it holds "{{", or a line that
/// begins a section.
std::string to_baseline_migration(const Catalogue& catalogue, std::string_view database);

/// What is known of a table beyond its schema. Empty members are not shown.
struct TableFacts {
  std::string module;
  std::string description;
  std::string classification;  ///< "confidential"
  std::string retention;       ///< "7 years"
  std::vector<std::string> personal_columns;
  std::vector<std::string> sealed_columns;
};

/// By the table's name, as the catalogue spells it.
using FactsByTable = std::map<std::string, TableFacts, std::less<>>;

/// The schema as Markdown for people: each table with its columns, keys, references to and from it, indexes,
/// triggers and policies and what `facts` say of it, then views, functions and types. Whatever a name holds,
/// it cannot break out of its place in the text.
std::string to_markdown(const Catalogue& catalogue, std::string_view title, const FactsByTable& facts = {});

}  // namespace nerve::migrations
