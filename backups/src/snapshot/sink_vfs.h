// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/forwarding_vfs.h"
#include "snapshot/page_sink.h"

#include <exception>

namespace nerve::backups {

/// A file layer whose only file is empty when it is opened, hands what is written to a sink, and keeps
/// nothing.
class SinkVfs : public ForwardingVfs {
 public:
  explicit SinkVfs(PageSink& sink);

  /// Throws what the sink threw while SQLite, which is C, could not pass it on.
  void rethrow_failure();

 private:
  struct File;
  struct Methods;

  static int open(::sqlite3_vfs* vfs, const char* name, ::sqlite3_file* opened, int flags, int* flags_out);
  int write(ByteView bytes, ::sqlite3_int64 offset) noexcept;

  PageSink& sink_;
  std::exception_ptr failure_;
};

}  // namespace nerve::backups
