// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/shared_lock.h"

#include "layout.h"
#include "partial_backup.h"

#include <unistd.h>

namespace nerve::backups {
namespace {

bool may_write(const Repository& repository) {
  return ::access(repository.path().c_str(), W_OK | X_OK) == 0 &&
         ::access((repository.path() / marker_file_name).c_str(), W_OK) == 0;
}

}  // namespace

SharedLock::SharedLock(const Repository& repository, Leftovers leftovers)
    : lock_(std::make_unique<RepositoryLock>(leftovers == Leftovers::remove && may_write(repository)
                                                 ? RepositoryLock::for_writing(repository)
                                                 : RepositoryLock::shared(repository))) {}

SharedLock::~SharedLock() = default;

}  // namespace nerve::backups
