// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container_file.h"
#include "group_codec.h"
#include "header.h"
#include "keys.h"

#include <cstddef>

namespace nerve::backups {

/// Puts pages that come one by one into groups of a container, and writes each when it is full. For one
/// thread at a time.
class GroupCollector {
 public:
  /// Borrows the file, the header and the keys.
  GroupCollector(ContainerFile& file, const ContainerHeader& header, const ContainerKeys& keys)
      : file_(file), header_(header), codec_(header, keys) {}

  /// Adds the page at `index` of `from`. Within a group the numbers must ascend.
  void add(const PageGroup& from, std::size_t index);
  /// Ends the group: writes what it holds, if anything.
  void write();

 private:
  ContainerFile& file_;
  const ContainerHeader& header_;
  GroupCodec codec_;
  PageGroup group_;
  Bytes records_;
};

}  // namespace nerve::backups
