// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/db/identifier.h"
#include "nerve/db/transaction.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace nerve::db {

/// The fewest characters of an id's end that people may type instead of it.
inline constexpr std::size_t short_id_length_min = 8;

/// The id of the row that `text` names: a whole id, or the end of one that no other row's id has. Nothing
/// where no row has it, and for text that cannot be an id; deleted rows count.
///
/// Throws ConflictError that names the table when several ids end so.
std::optional<Uuid> find_id(Transaction& transaction, const Identifier& table, std::string_view text);

}  // namespace nerve::db
