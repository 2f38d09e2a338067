// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "page_state.h"
#include "reader.h"

#include "nerve/core/progress.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// A full and the deltas that lead from it to one state of the database.
class Chain {
 public:
  /// Opens the containers at `paths`, the full first. Throws what ContainerReader throws, and IntegrityError
  /// where one does not follow the one before.
  Chain(const std::vector<std::filesystem::path>& paths, Keyring& keyring);

  const std::vector<std::unique_ptr<ContainerReader>>& containers() const noexcept { return containers_; }
  const ContainerReader& last() const noexcept { return *containers_.back(); }
  std::uint32_t page_count() const noexcept { return last().header().page_count; }
  std::uint32_t page_size_bytes() const noexcept { return last().header().page_size_bytes; }
  std::uint64_t size_bytes() const noexcept { return std::uint64_t{page_count()} * page_size_bytes(); }

  /// The hashes of all pages at its end, kept in an unnamed file in `folder`; compared with the state that
  /// the last container was sealed with. Throws IntegrityError.
  PageState state(const std::filesystem::path& folder) const;

  /// Reads every page of every container that is not in `verified` yet, compares it with its hash, and puts
  /// the container there. Two threads. Throws IntegrityError and CancelledError.
  void verify(std::string_view phase, ProgressSink* progress, std::set<BackupId>& verified) const;

  /// Writes the database at the end of the chain to an open, empty file; each page after its hash was
  /// compared. The file is not synced. Two threads. Throws as verify() does.
  void restore(const Descriptor& to, const std::filesystem::path& to_path, std::string_view phase,
               ProgressSink* progress) const;

 private:
  std::uint64_t stored_bytes() const noexcept;
  [[noreturn]] void refuse_state(const std::filesystem::path& folder) const;

  std::vector<std::unique_ptr<ContainerReader>> containers_;
};

}  // namespace nerve::backups
