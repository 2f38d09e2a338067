// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

/// What SQLite's checks of pages do not see: they know a virtual table's own tables as tables with rows, and
/// not what the module keeps in these rows.
struct VirtualTableFindings {
  std::vector<std::string> damaged;    ///< "TABLE: why"
  std::vector<std::string> unchecked;  ///< likewise, where its module has no check, or it cannot be run here
};

enum class VirtualTableCheck : std::uint8_t {
  read,  ///< opens each and reads its first rows; `unchecked` stays empty
  whole  ///< also lets the module check all that it keeps
};

/// The first rows that are read of each virtual table.
inline constexpr std::size_t virtual_table_rows_read = 1'000;
/// The own tables of a full-text index are copied to memory for its check; larger ones are not checked.
inline constexpr std::size_t virtual_table_copy_bytes_max = std::size_t{256} << 20U;

/// Checks the virtual tables, and writes nothing. Of R-trees by rtreecheck(); of full-text indexes (FTS3 to
/// FTS5) by the module's integrity-check, which is a command for writers: so it is given to a copy of the
/// index in memory. Interruptible. Throws the errors of Session but for damage.
VirtualTableFindings check_virtual_tables(Session& session, VirtualTableCheck check,
                                          ProgressSink* progress = nullptr);

}  // namespace nerve::sqlite
