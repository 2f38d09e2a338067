// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace nerve::test {

/// An ext4 file system in a file, mounted until the end of the object's life, that can lose its power.
///
/// Mounts are made in a namespace of this process, so that none outlives it, however it ends.
class LoopFileSystem {
 public:
  /// Why this process can have none; empty where it can. To be asked before the first is mounted.
  static std::string why_impossible();

  /// Makes one in a new file. Throws std::runtime_error, as all here do.
  static void make(const std::filesystem::path& image, std::uint64_t size_bytes);

  /// Mounts it on a folder, which is made. What was not finished before is replayed from the journal.
  LoopFileSystem(const std::filesystem::path& image, std::filesystem::path folder);
  LoopFileSystem(const LoopFileSystem&) = delete;
  LoopFileSystem& operator=(const LoopFileSystem&) = delete;
  ~LoopFileSystem();

  /// From now on nothing reaches the image, and what was not synced before is lost, the journal's included.
  void cut_power() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace nerve::test
