// SPDX-License-Identifier: Apache-2.0
#include "nerve/list_command.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace nerve {

Argument limit_option() {
  static_assert(page_limit_default == 50, "the description says so");
  return {.name = "--limit",
          .value_name = "N",
          .type = ArgumentType::integer,
          .description = "show at most N (default: 50)",
          .minimum = 1,
          .maximum = page_limit_max};
}

Argument after_option() {
  return {.name = "--after",
          .value_name = "ID",
          .type = ArgumentType::text,
          .description = "begin after this one, the last of the page before"};
}

std::int64_t limit_from(const Arguments& arguments) {
  return arguments.integer("--limit").value_or(page_limit_default);
}

void detail::show_list(Output& output, const PlainList& list) {
  if (output.wants_json()) {
    Json items = Json::array();
    for (std::size_t place = 0; place < list.size; ++place) items.push_back(list.json_at(place));
    output.json(
        {{std::string(list.name), std::move(items)}, {"next", list.next ? Json(*list.next) : Json()}});
    return;
  }
  if (list.size == 0) {
    output.note(list.none);
    return;
  }
  Table table{.columns = list.columns, .rows = {}};
  for (std::size_t place = 0; place < list.size; ++place) table.rows.push_back(list.cells_at(place));
  output.table(table);
  if (list.next) output.note("more follow: --after " + *list.next);
}

void show_change(Output& output, const Json& record, std::string_view note) {
  if (output.wants_json()) {
    output.json(record);
    return;
  }
  output.note(note);
  output.line(record.at("id").get_ref<const std::string&>());
}

}  // namespace nerve
