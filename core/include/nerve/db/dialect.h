// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nerve::db {

/// The engines behind the port. Beside this header only migrations and Codec know the difference; every other
/// statement runs on both.
enum class Dialect : std::uint8_t { sqlite, postgresql };

/// "sqlite" or "postgresql".
std::string_view to_string(Dialect dialect) noexcept;

/// The engine's clock as an expression whose value Codec<Timestamp> reads: UTC with fractions of a second.
std::string_view now_expression(Dialect dialect) noexcept;

/// The month of a timestamp column as text `YYYY-MM` in UTC. `column` is an expression of the statement's
/// author, never a value.
std::string month_expression(Dialect dialect, std::string_view column);

/// A table-valued expression with one text column `value` for each element of the JSON list bound as
/// `:parameter`; it stands for IN lists: `WHERE kind IN (SELECT value FROM ` + elements_expression(dialect,
/// "kinds") + `)`.
std::string elements_expression(Dialect dialect, std::string_view parameter);

/// What ends a SELECT whose row is about to be changed: a row lock on PostgreSQL, nothing on SQLite, where
/// the writer is alone already.
std::string_view lock_row_clause(Dialect dialect) noexcept;

/// The same for a row that must only stay as it is: others may hold it, too, and nobody changes it.
std::string_view share_row_clause(Dialect dialect) noexcept;

/// The last 8 characters of a column of ids, as the indexes NAME_short_id hold them.
std::string short_id_expression(Dialect dialect, std::string_view column);

/// `text_expression`, whose value is the text of an id, as something that compares with a column of ids.
std::string id_expression(Dialect dialect, std::string_view text_expression);

/// Whether the schema that unqualified names mean has a table or view with the name bound as `:table`.
std::string_view table_exists_expression(Dialect dialect) noexcept;

/// Whether that schema has any table, view or sequence, or a function, operator or type of no extension's.
std::string_view schema_is_used_expression(Dialect dialect) noexcept;

/// The octets that the database takes on its device.
std::string_view database_size_expression(Dialect dialect) noexcept;

/// Takes the lock numbered `:lock` until the transaction ends; false where another transaction has it. Always
/// true on SQLite, which has no such locks.
std::string_view try_lock_expression(Dialect dialect) noexcept;

}  // namespace nerve::db
