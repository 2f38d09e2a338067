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

}  // namespace nerve::db
