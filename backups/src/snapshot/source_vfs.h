// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/forwarding_vfs.h"

#include "nerve/core/bytes.h"

namespace nerve::backups {

/// The default file layer, but remembering page 1 as SQLite read it last from the database or its -wal.
///
/// That is how the true page 1 of a read transaction is had, for which SQLite has no function. SQLite holds
/// one copy of page 1 from the transaction's beginning to its end; it came by the last read of page 1 on that
/// connection, whether for this transaction, or for an earlier one when nobody has written since. So a
/// connection that has never written has the page that is remembered. For one connection; memory mapping is
/// off, as it would go past xRead.
class SourceVfs : public ForwardingVfs {
 public:
  SourceVfs();

  /// The page that was read last; empty where there was none. Its size is the page size that SQLite took the
  /// database to have when it read.
  const Bytes& first_page() const noexcept { return first_page_; }
  /// Looks at no more reads.
  void stop_watching() noexcept { is_watching_ = false; }

 private:
  struct File;
  struct Methods;

  static int open(::sqlite3_vfs* vfs, const char* name, ::sqlite3_file* opened, int flags, int* flags_out);
  void look_at(const File& file, ByteView bytes, ::sqlite3_int64 offset) noexcept;

  bool is_watching_ = true;
  Bytes first_page_;
};

}  // namespace nerve::backups
