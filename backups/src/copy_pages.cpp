// SPDX-License-Identifier: Apache-2.0
#include "copy_pages.h"

#include "durable_file.h"
#include "repository_file.h"
#include "written_parts.h"

#include "nerve/core/bytes.h"

#include <fcntl.h>

#include <cstdint>

namespace nerve::backups {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;

}  // namespace

void copy_pages(Snapshot& snapshot, const std::filesystem::path& target, ProgressSink* progress) {
  const Descriptor file = open_repository_file(target, O_WRONLY | O_CREAT | O_EXCL, 0600);
  const SnapshotShape shape = snapshot.shape();
  const std::uint64_t total_bytes = std::uint64_t{shape.page_count} * shape.page_size_bytes;
  std::uint64_t written_bytes = 0;
  WrittenParts written(target);
  Bytes block;
  block.reserve(block_bytes + shape.page_size_bytes);
  const auto write_block = [&] {
    write_bytes(file, block, target);
    written.add(block);
    written_bytes += block.size();
    block.clear();
    if (progress != nullptr) progress->update("copying the database", written_bytes, total_bytes);
  };
  snapshot.read_pages([&](std::uint32_t /*number*/, ByteView page) {
    block.insert(block.end(), page.begin(), page.end());
    if (block.size() >= block_bytes) write_block();
  });
  write_block();
  sync_descriptor(file, target);
  written.compare();
}

}  // namespace nerve::backups
