// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace nerve::sqlite {

/// The name of an extended result code, such as "SQLITE_CONSTRAINT_UNIQUE". A code that SQLite added later
/// gets the name of its primary code; one without that, "SQLITE_UNKNOWN".
std::string_view code_name(int extended_code) noexcept;

/// Whether the hint for a busy database names the processes that have it open. Finding them reads all of
/// /proc, which is too slow for an error that is caught and retried.
enum class HolderHint : std::uint8_t { omitted, included };

/// Throws the error of nerve/core/error.h that fits an SQLite result code.
///
///   CORRUPT, NOTADB               IntegrityError
///   BUSY, LOCKED                  ConnectionError, unavailable
///   READONLY, PERM, AUTH          DeniedError
///   CANTOPEN                      NotFoundError, DeniedError or ValidationError by what stands at the path
///   FULL                          DatabaseError, unavailable: no space on the device
///   CONSTRAINT                    DatabaseError, conflict
///   INTERRUPT                     CancelledError
///   SCHEMA, PROTOCOL              ConnectionError, unavailable
///   anything else                 DatabaseError, failure
///
/// `what` says what was tried in words that the path completes, such as "cannot open" or "cannot read table
/// users of"; it must hold no bound value. SQLite's own error text is left out because it can quote values;
/// its fixed description of the code is added.
[[noreturn]] void throw_sqlite_error(int extended_code, std::string_view what,
                                     const std::filesystem::path& path,
                                     HolderHint holders = HolderHint::omitted);

}  // namespace nerve::sqlite
