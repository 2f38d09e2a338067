// SPDX-License-Identifier: Apache-2.0
#include "rules/held_types.h"

#include "load/encode.h"
#include "plan/type_choice.h"
#include "values/row_buffer.h"
#include "values/valid_text.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>

namespace nerve::convert {
namespace {

struct HeldColumn {
  std::size_t place = 0;  ///< in the table
  ColumnType type;
  std::int64_t misfits = 0;
};

/// "timestamptz of epoch seconds".
std::string describe_type(const ColumnType& type) {
  return is_time(type.type) ? fmt::format("{} of {}", to_ddl(type), to_string(type.time)) : to_ddl(type);
}

std::vector<HeldColumn> held_columns(const SourceTable& table, const TableProfile& profile) {
  std::vector<HeldColumn> held;
  for (std::size_t place = 0; place < table.rules.size(); ++place) {
    if (const auto type = held_type(table.declared[place], profile.columns[place], table.rules[place]))
      held.push_back({place, *type});
  }
  return held;
}

void count_misfits(sqlite::Session& session, const SourceTable& table, std::vector<HeldColumn>& held) {
  TableQuery query{.name = table.query.name, .rowid = {}, .columns = {}};
  for (const HeldColumn& column : held) query.columns.push_back(table.query.columns[column.place]);
  RowBuffer buffer;
  session.each(select_rows(query), [&](const sqlite::Row& row) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      buffer.clear();
      if (encode_value(row.value(static_cast<int>(i)), held[i].type, false, buffer) != Misfit::none)
        ++held[i].misfits;
    }
  });
}

}  // namespace

void count_held_misfits(sqlite::Session& session, const SourceSchema& schema,
                        std::vector<TableProfile>& profiles, RuleErrors& errors) {
  for (std::size_t i = 0; i < schema.tables.size(); ++i) {
    const SourceTable& table = schema.tables[i];
    std::vector<HeldColumn> held = held_columns(table, profiles[i]);
    if (held.empty()) continue;
    count_misfits(session, table, held);
    for (const HeldColumn& column : held) {
      ColumnProfile& profile = profiles[i].columns[column.place];
      profile.held_misfits = column.misfits;
      const ColumnRule& rule = table.rules[column.place];
      const bool is_hopeless = column.misfits > 0 && column.misfits == profile.values();
      if (!is_hopeless || !rule.type || rule.on_misfit == MisfitRule::widen) continue;
      errors.add(
          rule.place,
          fmt::format("{} fits no value of {}.{}, which holds {}; give it another type, or leave 'type' out",
                      describe_type(column.type), sanitize_for_terminal(table.table.name),
                      sanitize_for_terminal(table.table.columns[column.place].name),
                      describe_values(profile)));
    }
  }
}

}  // namespace nerve::convert
