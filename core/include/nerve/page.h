// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace nerve {

inline constexpr std::int64_t page_limit_default = 50;
inline constexpr std::int64_t page_limit_max = 1000;

/// A part of a list, and where the next one begins.
template <class Item, class Cursor>
struct Page {
  std::vector<Item> items;
  std::optional<Cursor> next;  ///< the next page is what comes after it; absent on the last page
};

/// Reads a page of at most `limit` items, which is taken to the range from 1 to page_limit_max. `read` is
/// called with a limit, reads as many in the order of the cursor, and returns a vector of them: it is asked
/// for one more than the page holds, which shows whether others follow. `cursor_of` is what the items are
/// ordered by, such as &Tenant::id.
template <class CursorOf, class Read>
auto read_page(std::int64_t limit, CursorOf cursor_of, Read&& read) {
  using Item = typename std::invoke_result_t<Read, std::int64_t>::value_type;
  using Cursor = std::remove_cvref_t<std::invoke_result_t<CursorOf, const Item&>>;
  const std::int64_t wanted = std::clamp<std::int64_t>(limit, 1, page_limit_max);
  Page<Item, Cursor> page{.items = std::invoke(std::forward<Read>(read), wanted + 1), .next = std::nullopt};
  if (std::ssize(page.items) > wanted) {
    page.items.erase(page.items.begin() + wanted, page.items.end());
    page.next = std::invoke(cursor_of, std::as_const(page.items.back()));
  }
  return page;
}

}  // namespace nerve
