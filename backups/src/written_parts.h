// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "block_checksum.h"
#include "durable_file.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Proves that a file that was written and synced holds what was written to it: it is dropped from the page
/// cache, so that it comes from the device, and compared.
///
/// On file systems that live in memory nothing is dropped; there it is what the kernel holds that is
/// compared.
namespace nerve::backups {

/// What was written and what is read are two things. Its kind is integrity; it is no IntegrityError, which
/// would say that a database or a backup is damaged.
class NotKeptError : public Error {
 public:
  /// `what` is as "page 7 of /srv/app.db".
  explicit NotKeptError(const std::string& what);
};

/// So that what is read next comes from the device. Of what is not synced nothing is dropped. A hint.
void drop_from_cache(const Descriptor& file) noexcept;

/// Throws NotKeptError where the file has another size.
void require_size(const Descriptor& file, const std::filesystem::path& path, std::uint64_t size_bytes);

/// Compares what the synced file holds from `offset` on with what was written there. Throws NotKeptError.
void require_kept(const Descriptor& file, ByteView written, ::off_t offset,
                  const std::filesystem::path& path);

/// The checksums of what was written to a file, from its beginning on and part by part.
class WrittenParts {
 public:
  void add(ByteView part) { parts_.emplace_back(part); }

  /// Reads the file at `path` and compares. Throws NotKeptError, CancelledError, and where it cannot be read.
  void compare(const std::filesystem::path& path) const;

 private:
  std::vector<BlockChecksum> parts_;
};

}  // namespace nerve::backups
