// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "group_codec.h"
#include "header.h"
#include "keys.h"
#include "page_state.h"

#include "nerve/core/progress.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerve::backups {

/// A container that is open: its ends and its index have been checked, its groups not yet.
///
/// Safe for several threads, each with a GroupCodec of its own.
class ContainerReader {
 public:
  /// Throws IntegrityError for what is damaged, saying where; UnsupportedError for another format;
  /// DeniedError where the keyring cannot open it.
  ContainerReader(const std::filesystem::path& path, Keyring& keyring);

  const std::filesystem::path& path() const noexcept { return path_; }
  const ContainerHeader& header() const noexcept { return header_; }
  const ContainerTrailer& trailer() const noexcept { return trailer_; }
  const ContainerKeys& keys() const noexcept { return keys_; }
  std::size_t group_count() const noexcept { return places_.size(); }
  std::uint64_t stored_bytes(std::size_t group) const noexcept {
    return std::uint64_t{places_[group].hash_record_bytes} + places_[group].data_record_bytes;
  }

  /// So that `bytes` from the beginning of a group on come from the device. A hint: where it cannot be
  /// followed, they come from memory.
  void drop_from_page_cache(std::size_t group, std::uint64_t bytes) const noexcept;

  /// The numbers and hashes of a group. Throws IntegrityError.
  void read_hashes(std::size_t number, GroupCodec& codec, PageGroup& group) const;
  /// All of it, each page compared with its hash. Throws IntegrityError.
  void read_group(std::size_t number, GroupCodec& codec, PageGroup& group) const;

 private:
  void read_index(ByteView stored);

  std::filesystem::path path_;
  Descriptor file_;
  ContainerHeader header_;
  ContainerTrailer trailer_;
  ContainerKeys keys_;
  std::vector<GroupPlace> places_;
};

/// What a container says of itself at its beginning, whose seal is not compared: that takes the key. Throws
/// NotFoundError, IntegrityError for what cannot be one, UnsupportedError for another format.
ContainerHeader read_header(const std::filesystem::path& path);

}  // namespace nerve::backups
