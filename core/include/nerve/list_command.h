// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"
#include "nerve/core/json.h"
#include "nerve/page.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the commands that list and change records have in common.
namespace nerve {

/// "--limit N", for limit_from().
Argument limit_option();
/// "--after ID": the command itself finds the record, as it finds others.
Argument after_option();
/// The limit that was given, or page_limit_default.
std::int64_t limit_from(const Arguments& arguments);

/// How a list is shown. Needs nlohmann/json.hpp where it is filled in.
template <class Item>
struct ListView {
  std::string_view name;  ///< of the list in JSON: "tenants"
  std::string_view none;  ///< the note where it is empty: "no tenant"
  std::vector<Column> columns;
  std::function<Json(const Item&)> to_json;
  std::function<std::vector<TableCell>(const Item&)> to_cells;  ///< one for each column
};

namespace detail {

/// A ListView of items that are asked for by their places.
struct PlainList {
  std::string_view name;
  std::string_view none;
  const std::vector<Column>& columns;
  std::size_t size;
  std::optional<std::string> next;
  std::function<Json(std::size_t)> json_at;
  std::function<std::vector<TableCell>(std::size_t)> cells_at;
};

void show_list(Output& output, const PlainList& list);

}  // namespace detail

/// With --json {NAME: […], "next": id or null}; else a table, and a note with the --after of the next page.
template <class Item, class Cursor>
void show_page(Output& output, const Page<Item, Cursor>& page, const ListView<Item>& view) {
  detail::show_list(output,
                    {.name = view.name,
                     .none = view.none,
                     .columns = view.columns,
                     .size = page.items.size(),
                     .next = page.next ? std::optional(page.next->to_string()) : std::nullopt,
                     .json_at = [&](std::size_t place) { return view.to_json(page.items[place]); },
                     .cells_at = [&](std::size_t place) { return view.to_cells(page.items[place]); }});
}

/// What a command says that makes or changes a record: with --json the record; else `note`, and the record's
/// "id" as the only data.
void show_change(Output& output, const Json& record, std::string_view note);

}  // namespace nerve
