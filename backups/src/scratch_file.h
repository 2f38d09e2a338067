// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include "nerve/backups/manifest.h"

#include <filesystem>

namespace nerve::backups {

/// A file with the database of a backup, for a while. It is locked while it lives and removed by the
/// destructor.
class ScratchFile {
 public:
  /// Makes `.partial-look-ID-PROCESS` in `folder`. Such files of dead processes are removed first: they may
  /// hold what is encrypted in the repository.
  ScratchFile(const std::filesystem::path& folder, const BackupId& id);
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  const std::filesystem::path& path() const noexcept { return path_; }
  const Descriptor& file() const noexcept { return file_; }

 private:
  std::filesystem::path path_;
  Descriptor file_;
};

}  // namespace nerve::backups
