// SPDX-License-Identifier: Apache-2.0
// Indexes, and what stands for a table of SQLite's full-text search.
#include "plan/schema_context.h"
#include "sql/create_virtual_table.h"
#include "sql/postgresql/translate.h"
#include "sql/tokens.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace nerve::convert {
namespace {

using postgresql::quote_identifier;

/// What was translated, but for a plain column of json: the translator knows no order of those.
std::string term_of(const sql::OrderingTerm& source, const sql::IndexTerm& translated,
                    const DefinedTable& table, const TablePlan& plan) {
  const auto place = table.column(source);
  if (!place || !translated.is_column || plan.columns[*place].type.type != TargetType::json)
    return translated.sql;
  return compared(plan.columns[*place], table.environment.columns[*place].collation);
}

/// Tells what foreign keys may name: a unique index of plain columns, each once.
void add_unique(SchemaContext& context, const sql::CreateIndex& index, const sql::TranslatedIndex& translated,
                std::size_t table) {
  if (!index.is_unique || index.where != nullptr) return;
  UniqueColumns unique{{}, std::ranges::all_of(translated.terms, &sql::IndexTerm::is_column)};
  for (const sql::OrderingTerm& term : index.terms) {
    const auto place = context.defined[table].column(term);
    if (!place) return;
    if (!unique.places.insert(*place).second) unique.is_plain = false;
  }
  context.unique[table].push_back(std::move(unique));
}

void plan_index(SchemaContext& context, const SchemaEntry& entry, std::size_t table) {
  Untranslated object{"index", entry.name, entry.table, "", entry.sql};
  try {
    const sql::CreateIndex index = sql::parse_create_index(entry.sql);
    const auto result = sql::translate_index(index, context.defined[table].environment);
    if (const auto* translated = std::get_if<sql::TranslatedIndex>(&result)) {
      std::string terms;
      for (std::size_t i = 0; i < translated->terms.size(); ++i) {
        const sql::IndexTerm& term = translated->terms[i];
        terms += (terms.empty() ? "" : ", ") +
                 term_of(index.terms[i], term, context.defined[table], context.plan.tables[table]) +
                 (term.is_descending ? " DESC" : "");
      }
      std::string sql =
          fmt::format("CREATE {}INDEX {} ON {} ({})", index.is_unique ? "UNIQUE " : "",
                      quote_identifier(context.relations.take(entry.name)), context.target_of(table), terms);
      if (!translated->where.empty()) sql += " WHERE " + translated->where;
      add_unique(context, index, *translated, table);
      // Rows that are equal in the first term are read again and again to compare the others.
      context.plan.tables[table].after_load.push_back({.object = std::move(object),
                                                       .sql = std::move(sql),
                                                       .sorts_in_cache = translated->terms.size() > 1});
      return;
    }
    object.reason = std::get<sql::Untranslatable>(result).reason;
  } catch (const ValidationError& error) {
    object.reason = error.what();
  }
  context.plan.untranslated.push_back(std::move(object));
}

}  // namespace

void plan_indexes(SchemaContext& context) {
  for (const SchemaEntry& entry : context.source.entries) {
    // What a constraint made is made again by it.
    if (entry.type != "index" || entry.sql.empty()) continue;
    if (const auto table = context.find_table(entry.table)) plan_index(context, entry, *table);
  }
}

void plan_text_search(SchemaContext& context, std::size_t table) {
  const SourceTable& source = *context.defined[table].source;
  if (source.table.kind != sqlite::TableKind::virtual_table) return;
  TablePlan& plan = context.plan.tables[table];
  if (!source.is_text_search()) {
    context.plan.notes.push_back(
        fmt::format("{} is a virtual table of the module {}; its rows become a plain table without an index",
                    plan.source, source.module));
    return;
  }
  if (source.is_contentless()) {
    context.plan.untranslated.push_back(
        {"text search", plan.source, plan.source,
         "its texts are not stored, only their index, which cannot be read back", source.sql});
    return;
  }
  const std::vector<std::string> unindexed =
      source.module == "fts5" ? sql::parse_unindexed_columns(source.sql) : std::vector<std::string>();
  std::string document;
  NameSpace names = column_names(context.case_policy);
  for (std::size_t place = 0; place < plan.columns.size(); ++place) {
    const ColumnPlan& column = plan.columns[place];
    names.reserve(column.target);
    const bool is_unindexed = std::ranges::any_of(
        unindexed, [&](const std::string& one) { return sql::equals_folded(one, column.source); });
    if (context.defined[table].rowid_column == place || is_unindexed) continue;
    const std::string name = quote_identifier(column.target);
    const bool is_text = column.type.type == TargetType::text;
    document += (document.empty() ? "" : " || ' ' || ") +
                fmt::format("coalesce({}{}, '')", name, is_text ? "" : "::text");
  }
  const std::string search = quote_identifier(names.take("search"));
  const std::string target = context.target_of(table);
  const Untranslated object{"text search", plan.source, plan.source, "", ""};
  // 'simple' folds case and leaves words as they are, which is nearest to SQLite's own tokenizers.
  plan.after_load.push_back(
      {.object = object,
       .sql = fmt::format(
           "ALTER TABLE {} ADD COLUMN {} tsvector GENERATED ALWAYS AS (to_tsvector('simple', {})) STORED",
           target, search, document),
       .locks_table = true});
  plan.after_load.push_back(
      {object,
       fmt::format("CREATE INDEX {} ON {} USING gin ({})",
                   quote_identifier(context.relations.take(plan.target + "_search")), target, search),
       true});
  context.plan.notes.push_back(fmt::format(
      "{} is searched by its column search: SELECT … WHERE search @@ websearch_to_tsquery('simple', …); "
      "words are found "
      "by PostgreSQL's rules, which are not those of SQLite's tokenizers (accents, stems, punctuation)",
      plan.source));
}

}  // namespace nerve::convert
