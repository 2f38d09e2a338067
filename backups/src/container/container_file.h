// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "../written_parts.h"
#include "header.h"
#include "keys.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace nerve::backups {

/// Writes the parts of a container one after the other to an open, empty file: header, groups, index,
/// trailer. For one thread at a time.
class ContainerFile {
 public:
  /// Writes the header. All are borrowed.
  ContainerFile(const Descriptor& file, const std::filesystem::path& path, const ContainerHeader& header,
                const ContainerKeys& keys);

  /// The number that the next group has.
  std::uint64_t group_count() const noexcept { return places_.size(); }

  /// Appends the records of a group that GroupCodec has encoded under that number.
  void append_group(GroupPlace place, ByteView records);

  /// Writes index and trailer, syncs the file, and reads it back: a backup that is not what was written is
  /// none. `state` is that of the database. Throws NotKeptError.
  ContainerTrailer finish(const crypto::Sha256Digest& state);

 private:
  void append(ByteView bytes);

  const Descriptor& file_;
  std::filesystem::path path_;
  const ContainerKeys& keys_;
  WrittenParts written_;
  Bytes sealed_header_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t bytes_at_writeback_ = 0;
  std::uint32_t stored_pages_ = 0;
  std::vector<GroupPlace> places_;
};

}  // namespace nerve::backups
