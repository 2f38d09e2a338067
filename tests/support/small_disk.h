// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace nerve::test {

/// A file system in memory of a chosen size, mounted on a folder until the end of the object's life.
///
/// Mounts are made in a namespace of this process, so that none outlives it, however it ends: only programs
/// that it starts after the first one see them. A user other than root gets a user namespace as well, which a
/// process with threads cannot.
class SmallDisk {
 public:
  /// Why this process can have none; empty where it can. To be asked before the first is made.
  static std::string why_impossible();

  /// Throws std::system_error, as all here do. Owner and mode of the folder stay.
  SmallDisk(std::filesystem::path folder, std::uint64_t size_bytes);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  /// Makes it as large as what is there and so much more.
  void leave_free(std::uint64_t bytes) const;

 private:
  std::filesystem::path folder_;
  std::string ownership_;  ///< as an option of the mount
};

}  // namespace nerve::test
