// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nerve::sqlite {

/// Settles SQLite for a program of its own that runs briefly: it counts no memory, which takes a lock for
/// each piece, and makes room for the pages of a cache as they are read, not for twenty at once.
///
/// For main(), before a database is opened; a library that others link has no business here. After it
/// sqlite3_memory_used() says 0, and a heap limit has no effect.
void settle_for_short_runs() noexcept;

}  // namespace nerve::sqlite
