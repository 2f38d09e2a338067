// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "group_codec.h"
#include "header.h"
#include "keys.h"
#include "page_state.h"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace nerve::backups {

/// Writes a container to an open, empty file while its pages arrive.
///
/// Two threads hash, compress and seal; groups are written in the order in which their pages came. Memory is
/// bounded: take() waits while they are behind.
class ContainerWriter {
 public:
  /// `previous` is the state that a delta is made against, null for a full; borrowed, as the keys are.
  ContainerWriter(const Descriptor& file, const std::filesystem::path& path, const ContainerHeader& header,
                  const ContainerKeys& keys, const PageState* previous);
  ContainerWriter(const ContainerWriter&) = delete;
  ContainerWriter& operator=(const ContainerWriter&) = delete;
  ~ContainerWriter();

  /// Every page of the database, in ascending order from 1. Throws what a thread ran into.
  void take(std::uint32_t number, ByteView page);

  /// Writes what is left, index and trailer, and syncs the file. Throws Error where pages are missing.
  ContainerTrailer finish();

 private:
  class Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace nerve::backups
