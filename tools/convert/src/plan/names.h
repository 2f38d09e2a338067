// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace nerve::convert {

/// What becomes of the letters A to Z in names.
enum class CasePolicy : std::uint8_t {
  lower,  ///< to lower case, so that names need no quotes in PostgreSQL, whose SQL folds what has none
  keep,
};

/// The longest name that PostgreSQL keeps whole (NAMEDATALEN is 64).
inline constexpr std::size_t name_bytes_max = 63;

/// Gives out names of one namespace, in which each stands once: the columns of a table, or the tables,
/// indexes and views of a schema.
class NameSpace {
 public:
  explicit NameSpace(CasePolicy policy) : policy_(policy) {}

  /// The name that stands for `wanted`: folded, cut to name_bytes_max at a character's end, and with "_2",
  /// "_3" … behind it where it is taken already.
  std::string take(std::string_view wanted);
  bool has(std::string_view name) const { return taken_.contains(name); }
  /// Makes a name unavailable.
  void reserve(std::string_view name) { taken_.emplace(name); }

 private:
  CasePolicy policy_;
  std::set<std::string, std::less<>> taken_;
};

/// Whether PostgreSQL has a column of this name in every table.
bool is_system_column(std::string_view name) noexcept;

/// A namespace for the columns of a table, without the names of PostgreSQL's system columns.
NameSpace column_names(CasePolicy policy);

}  // namespace nerve::convert
