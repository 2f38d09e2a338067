// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/snapshot.h"

#include "nerve/core/bytes.h"

#include <cstdint>
#include <filesystem>

namespace nerve::backups {

/// Makes the pages that SQLite's backup API writes to a file into those of the database, in ascending order.
///
/// The API writes page 1 at any time and with other numbers in its header, the other pages in ascending
/// order, and never the lock page. So the true page 1 is handed over first, and what SQLite writes of it is
/// compared with that. Anything else is an Error, as what came of it would be no copy.
class PageSink {
 public:
  /// `path` is that of the database, for messages. All are borrowed.
  PageSink(const SnapshotShape& shape, ByteView first_page, const TakePage& take,
           const std::filesystem::path& path);

  /// What SQLite writes at `offset`. Throws Error, what `take` throws, and CancelledError.
  void write(ByteView bytes, std::uint64_t offset);
  /// Throws Error unless all pages came.
  void finish();

  /// The size of the file that SQLite believes to write.
  std::uint64_t size_bytes() const noexcept { return size_bytes_; }

 private:
  void require(bool is_as_expected, std::uint64_t number, const char* defect) const;
  void compare_first_page(ByteView rewritten);
  void hand_over_undelivered();
  void hand_over(ByteView page);

  const SnapshotShape& shape_;
  ByteView first_page_;
  const TakePage& take_;
  const std::filesystem::path& path_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t due_ = 1;  ///< the page that is handed over next
  bool is_first_page_compared_ = false;
};

}  // namespace nerve::backups
