// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/raw_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace nerve::backups::salvage {

/// Pages that a -wal or a -journal holds in another state than the main file: those of the last commit.
struct Overlay {
  RawFile file;
  std::unordered_map<std::uint32_t, std::uint64_t> offsets;  ///< of each page, in `file`
  std::uint32_t page_size_bytes = 0;
  std::uint32_t page_count = 0;  ///< of the database in that state
  std::string note;              ///< what was done with it, for people
  bool has_lost = false;         ///< whether committed pages in it could not be read
};

/// The committed frames of a -wal (https://www.sqlite.org/fileformat2.html#walformat): those whose salts are
/// the header's and whose running checksum is right, up to the last commit. Nothing where there is no -wal or
/// no commit in it. Frames behind a damaged one cannot be told from those of an earlier use of the file;
/// where a commit with the right salts is among them, `has_lost` is set.
std::optional<Overlay> read_wal(const std::filesystem::path& path);

/// The pages that a rollback journal keeps (https://www.sqlite.org/fileformat2.html#rollbackjournal): what
/// they were before the transaction that did not end. Nothing where there is no journal, where it is at rest,
/// and where it belongs to a transaction over several files that was committed.
std::optional<Overlay> read_journal(const std::filesystem::path& path);

}  // namespace nerve::backups::salvage
