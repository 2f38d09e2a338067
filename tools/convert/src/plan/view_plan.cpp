// SPDX-License-Identifier: Apache-2.0
// Views and triggers.
#include "plan/schema_context.h"
#include "sql/postgresql/translate.h"
#include "sql/tokens.h"
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <deque>
#include <utility>

namespace nerve::convert {
namespace {

using postgresql::quote_identifier;

std::string folded_name(CasePolicy policy, std::string_view name) {
  NameSpace names = column_names(policy);
  return names.take(name);
}

/// Translates the views of a schema. A view may name one that is made after it, so those that fail are tried
/// again when others have become known.
class Views {
 public:
  explicit Views(SchemaContext& context) : context_(context) {
    for (const SchemaEntry& entry : context.source.entries) {
      if (entry.type == "view") open_.push_back({&entry, ""});
    }
  }

  void run() {
    for (bool is_any = true; is_any;) {
      is_any = false;
      for (std::size_t left = open_.size(); left > 0; --left) {
        Open view = std::move(open_.front());
        open_.pop_front();
        view.reason = translate(*view.entry);
        if (view.reason.empty()) {
          is_any = true;
        } else {
          open_.push_back(std::move(view));
        }
      }
    }
    for (const Open& view : open_)
      context_.plan.untranslated.push_back({"view", view.entry->name, "", view.reason, view.entry->sql});
  }

 private:
  struct Open {
    const SchemaEntry* entry;
    std::string reason;
  };

  const sql::Table* find(std::string_view name) const {
    if (const auto table = context_.find_table(name)) return &context_.defined[*table].environment;
    for (const sql::Table& view : known_) {
      if (sql::equals_folded(view.name, name)) return &view;
    }
    return nullptr;
  }

  /// Why there is no equal; empty where there is one.
  std::string translate(const SchemaEntry& entry) {
    try {
      const sql::CreateView view = sql::parse_create_view(entry.sql);
      const auto result =
          sql::translate_view(view,
                              {.find = [this](std::string_view name) { return find(name); },
                               .column_target =
                                   [this](std::string_view name) {
                                     return quote_identifier(folded_name(context_.case_policy, name));
                                   }},
                              {.allows_rounding = true});
      if (const auto* refused = std::get_if<sql::Untranslatable>(&result)) return refused->reason;
      add(entry, std::get<sql::TranslatedView>(result));
      return {};
    } catch (const ValidationError& error) {
      return error.what();
    }
  }

  void add(const SchemaEntry& entry, const sql::TranslatedView& view) {
    const std::string target = context_.relations.take(entry.name);
    const std::string name = qualified_name(context_.plan.schema, target);
    context_.plan.at_end.push_back(
        {{"view", entry.name, "", "", entry.sql}, fmt::format("CREATE VIEW {} AS {}", name, view.select)});
    for (const std::string& remark : view.remarks)
      context_.plan.notes.push_back(fmt::format("view {}: {}", entry.name, remark));
    known_.push_back({.name = entry.name, .target = name, .columns = view.columns});
  }

  SchemaContext& context_;
  std::deque<Open> open_;
  std::deque<sql::Table> known_;  // whose elements stay where they are
};

}  // namespace

void plan_views(SchemaContext& context) {
  Views(context).run();
}

void list_triggers(SchemaContext& context) {
  for (const SchemaEntry& entry : context.source.entries) {
    if (entry.type != "trigger") continue;
    context.plan.untranslated.push_back({"trigger", entry.name, entry.table,
                                         "triggers are programs of SQLite; write it anew in PL/pgSQL",
                                         entry.sql});
  }
}

}  // namespace nerve::convert
