// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/header.h"
#include "container/keys.h"

#include "nerve/core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::fuzz {

/// A container whose octets anybody may have changed, and what makes it look as if it had been written so. It
/// knows the format by docs/backup_format.md and not by the reader that is searched.
///
/// The records of an encrypted one are in the clear until seal(), each with room for its tag: what is
/// encrypted when it is changed is refused by its tag, and no more of the reader is reached.
class ContainerBytes {
 public:
  explicit ContainerBytes(std::string_view clear) : octets_(clear) {}

  const std::string& octets() const noexcept { return octets_; }
  bool is_delta() const noexcept;
  bool is_encrypted() const noexcept;
  /// Of a container that has an end at all.
  std::string_view state() const;

  /// Makes it a delta to the container that was sealed with this state.
  void set_parent_state(std::string_view state);
  /// Makes lengths, counts and heads of records fit to what is there, and hashes to the pages. `state` is the
  /// hashes of all pages before this container, and becomes that after it.
  void complete(std::vector<backups::PageHash>& state);
  /// Encrypts the records where there is a cipher, and makes the check of the key and both seals right.
  void seal();

 private:
  /// Where a record is and what it is.
  struct Record {
    char type;
    std::uint64_t number;
    std::size_t offset;
    std::size_t size;
  };

  bool is_whole() const noexcept;
  std::uint64_t number(std::size_t place, std::size_t size) const;
  void put(std::size_t place, std::uint64_t value, std::size_t size);
  void put(std::size_t place, ByteView value);
  ByteView view(std::size_t place, std::size_t size) const;
  std::size_t trailer() const noexcept;
  std::size_t tag_bytes() const noexcept;
  std::size_t head_bytes_of_data() const noexcept;
  backups::ContainerKeys keys() const;
  /// The index as the trailer names it; absent (of size 0) where that is no part of the file.
  Record index() const;
  std::vector<Record> records() const;
  void put_head(const Record& record);
  void complete_group(std::uint32_t group, std::size_t offset, std::size_t entry,
                      std::vector<backups::PageHash>& state);

  std::string octets_;
};

/// A small container of a database of four pages, or of a delta to it that adds one, in the clear and not
/// sealed.
std::string sample_container(backups::ContainerKind kind, backups::Cipher cipher);

/// The same with groups of these pages.
using PageNumbers = std::vector<std::uint32_t>;
std::string sample_container(backups::ContainerKind kind, backups::Cipher cipher,
                             const std::vector<PageNumbers>& groups);

}  // namespace nerve::fuzz
