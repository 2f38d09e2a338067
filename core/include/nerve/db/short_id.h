// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/db/identifier.h"
#include "nerve/db/transaction.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::db {

/// The fewest characters of an id's end that people may type instead of it.
inline constexpr std::size_t short_id_length_min = 8;

/// The id of the row that `text` names: a whole id, or the end of one that no other row's id has. Nothing
/// where no row has it, and for text that cannot be an id; deleted rows count.
///
/// Throws ConflictError that names the table when several ids end so.
std::optional<Uuid> find_id(Transaction& transaction, const Identifier& table, std::string_view text);

/// A record that find_id() did not find.
struct MissingRecord {
  std::string_view noun;  ///< "tenant"
  std::string_view text;  ///< what was given for it
  std::string hint;       ///< "`nerve-db tenant list` shows the tenants."
};

/// Throws NotFoundError "there is no NOUN TEXT". Where the text is the end of an id, but too short for one,
/// the hint says so.
[[noreturn]] void throw_not_found(const MissingRecord& missing);

}  // namespace nerve::db
