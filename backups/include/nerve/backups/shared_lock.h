// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/repository.h"

#include <cstdint>
#include <memory>

namespace nerve::backups {

class RepositoryLock;

/// While it lives, nobody removes anything from a repository: what was found there is there still when it is
/// used. Several may hold it at once, also those within one process, such as a restore takes for itself.
class SharedLock {
 public:
  /// What becomes of what dead processes left in the repository.
  enum class Leftovers : std::uint8_t {
    keep,
    remove,  ///< where nobody else is at work and the repository may be written
  };

  /// Waits for whoever removes something. Throws NotFoundError where there is no repository, UnsupportedError
  /// where its file system has no locks, CancelledError.
  SharedLock(const Repository& repository, Leftovers leftovers);
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  ~SharedLock();

 private:
  std::unique_ptr<RepositoryLock> lock_;
};

}  // namespace nerve::backups
