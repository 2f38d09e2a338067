// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"

#include <cstdint>

namespace nerve::sqlite {

/// Whether a writer in rollback mode is at work on a database.
enum class WriteLock : std::uint8_t {
  held,     ///< by another process
  free,     ///< by no other process
  unknown,  ///< this process has the file open itself, or may not ask
};

/// Asks the kernel who has SQLite's RESERVED lock. Takes no lock, and opens nothing where this process has
/// the file open, because closing a descriptor would drop its locks.
WriteLock find_write_lock(const FileFacts& facts) noexcept;

}  // namespace nerve::sqlite
