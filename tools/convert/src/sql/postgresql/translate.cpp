// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/translate.h"

#include "sql/postgresql/comparison.h"
#include "sql/postgresql/defaults.h"
#include "sql/postgresql/writer.h"

#include "nerve/core/error.h"

#include <utility>

namespace nerve::convert::sql {
namespace {

/// A scope in which columns stand for themselves, as in CHECK and in an index.
Scope scope_of(const Table& table) {
  Scope scope;
  scope.tables.push_back(ScopeTable{table.name, {}, table.columns, false, {}});
  return scope;
}

/// Runs `work` and turns a refusal into a value.
template <typename T, typename Work>
Translated<T> translated(Work work) {
  try {
    return work();
  } catch (const Refusal& refusal) {
    return refusal.untranslatable();
  } catch (const ValidationError& error) {
    // A name or text that PostgreSQL cannot hold.
    return Untranslatable{error.what(), 0};
  }
}

bool is_plain_column(const Expression& expression) {
  return std::holds_alternative<ColumnName>(expression.node);
}

IndexTerm index_term(const OrderingTerm& term, const Scope& scope, Context& context) {
  Writer writer(context, nullptr);
  const Value value = as_value(writer.write(*term.expression, scope));
  if (value.is_null_literal()) refuse(value, "an index of NULL");
  const Collation collation = value.collation.value_or(Collation::binary);
  const bool is_text = class_of(value) == ValueClass::text;
  const bool is_column = is_plain_column(*term.expression) && (!is_text || collation == Collation::binary);
  if (is_column) return IndexTerm{value.sql, term.is_descending, true};
  return IndexTerm{'(' + sort_key(value) + ')', term.is_descending, false};
}

std::vector<IndexTerm> index_terms(const std::vector<OrderingTerm>& terms, const Scope& scope,
                                   Context& context) {
  std::vector<IndexTerm> translated_terms;
  translated_terms.reserve(terms.size());
  for (const OrderingTerm& term : terms) translated_terms.push_back(index_term(term, scope, context));
  return translated_terms;
}

}  // namespace

Translated<Translation> translate_condition(const Expression& expression, const Table& table,
                                            const TranslationOptions& options) {
  return translated<Translation>([&] {
    Context context{options, {}};
    Writer writer(context, nullptr);
    const Value value = writer.write_condition(expression, scope_of(table));
    return Translation{value.sql, TargetType::boolean, std::move(context.remarks)};
  });
}

Translated<Translation> translate_expression(const Expression& expression, const Table& table,
                                             const TranslationOptions& options) {
  return translated<Translation>([&] {
    Context context{options, {}};
    Writer writer(context, nullptr);
    Value value = as_value(writer.write(expression, scope_of(table)));
    return Translation{std::move(value.sql), value.type, std::move(context.remarks)};
  });
}

Translated<Translation> translate_value(const Expression& expression, const Table& table,
                                        const Column& column, const TranslationOptions& options) {
  return translated<Translation>([&] {
    Context context{options, {}};
    Writer writer(context, nullptr);
    std::string sql = assigned(writer.write(expression, scope_of(table)), column, context);
    return Translation{std::move(sql), column.type, std::move(context.remarks)};
  });
}

Translated<Translation> translate_default(const Default& value, const Column& column) {
  return translated<Translation>([&] {
    Context context;
    Writer writer(context, nullptr);
    return Translation{default_sql(*value.value, column, context, writer), column.type, {}};
  });
}

Translated<TranslatedIndex> translate_index(const CreateIndex& index, const Table& table) {
  return translated<TranslatedIndex>([&] {
    Context context{TranslationOptions{.is_immutable = true}, {}};
    const Scope scope = scope_of(table);
    TranslatedIndex translation{index_terms(index.terms, scope, context), {}};
    if (index.where) translation.where = Writer(context, nullptr).write_condition(*index.where, scope).sql;
    return translation;
  });
}

Translated<TranslatedView> translate_view(const CreateView& view, const Schema& schema,
                                          const TranslationOptions& options) {
  return translated<TranslatedView>([&] {
    Context context{options, {}};
    Writer writer(context, &schema);
    WrittenSelect select = writer.write_select(*view.select, nullptr, view.columns);
    TranslatedView translation{std::move(select.sql), {}, std::move(context.remarks)};
    for (const Output& output : select.outputs) translation.columns.push_back(column_of(output));
    return translation;
  });
}

}  // namespace nerve::convert::sql
