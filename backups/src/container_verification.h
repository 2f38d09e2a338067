// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"
#include "container/reader.h"
#include "container/running_state.h"
#include "lineage_order.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/progress.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nerve::backups {

/// Reads every page of containers and compares it with its hash, and every state with the one that was
/// sealed. Each container is opened once, and one at a time, however many backups lead back to it; at a fork
/// the lists of pages of those that lead to it are read once more.
class ContainerVerification {
 public:
  /// Borrows all of them; `manifests` are of containers, with those that they lead back to.
  ContainerVerification(const Repository& repository, const std::vector<const Manifest*>& manifests,
                        Keyring& keyring, ProgressSink* progress);

  /// Has the pages of these not read once more, only their lists, which the others go on from; and those of
  /// the others from the device, since what is in memory says nothing of that.
  void take_as_proved(std::set<BackupId> proved);

  /// Called after each container: the backup, and what is wrong with it or with what it leads back to; empty
  /// where nothing is. `is_own` says that it is the backup's own.
  using Tell = std::function<void(const Manifest& manifest, const std::string& problem, bool is_own)>;

  /// Throws what opening a container throws, but for IntegrityError and NotFoundError, and CancelledError.
  void run(const Tell& tell);

  /// The containers that lead to the one that run() tells of, itself last.
  std::vector<std::filesystem::path> paths() const;

 private:
  /// What is wrong; empty where nothing is.
  std::string verify(std::size_t place);
  void begin_at(std::optional<std::size_t> place);
  void verify_pages(const ContainerReader& container, const BackupId& id);
  std::filesystem::path path_of(std::size_t place) const;
  void report(std::uint64_t bytes) const;

  const Repository& repository_;
  Keyring& keyring_;
  ProgressSink* progress_;
  std::vector<LineageNode> nodes_;
  std::optional<std::set<BackupId>> proved_;
  std::vector<std::string> broken_;  ///< by place: why nothing can be led back to it; empty where it can
  std::size_t place_ = 0;
  std::optional<RunningState> state_;
  std::optional<std::size_t> at_;  ///< the place of what `state_` was brought to
  std::uint64_t done_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace nerve::backups
