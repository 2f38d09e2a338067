// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "block_checksum.h"
#include "durable_file.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
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

/// What was written to a file, from its beginning on and part by part: each part is read back and compared.
/// Of a large file a thread does that while the rest is still being written, where the file system can read
/// from the device past its cache.
class WrittenParts {
 public:
  /// Of the file at `path`, which is there and empty.
  explicit WrittenParts(std::filesystem::path path);
  WrittenParts(const WrittenParts&) = delete;
  WrittenParts& operator=(const WrittenParts&) = delete;
  ~WrittenParts();

  /// The part is written to the file. For one thread.
  void add(ByteView part);

  /// Once, when the file is whole and synced: compares what is left. Throws NotKeptError, CancelledError, and
  /// where the file cannot be read.
  void compare();

 private:
  class Reader;

  void follow();
  void compare_settled();
  void stop() noexcept;
  std::uint64_t settled_bytes() const noexcept;

  std::filesystem::path path_;
  std::unique_ptr<Reader> reader_;
  std::size_t compared_ = 0;  ///< the count of parts
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<BlockChecksum> parts_;
  std::uint64_t written_bytes_ = 0;
  bool is_stopped_ = false;
  std::exception_ptr failure_;  ///< of the thread
};

}  // namespace nerve::backups
