// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include <filesystem>

/// flock(2) on an open file: it ends when the file is closed, also by the death of the process. All of them
/// throw UnsupportedError where the file system has no such locks; those that wait throw CancelledError when
/// interrupted.
namespace nerve::backups {

void lock_shared(const Descriptor& file, const std::filesystem::path& path);
void lock_exclusive(const Descriptor& file, const std::filesystem::path& path);

/// False when somebody else holds a lock.
bool try_lock_exclusive(const Descriptor& file, const std::filesystem::path& path);

/// Whether `path` still names the open file. Who makes a file and then locks it asks this: in between another
/// process may have taken it for a dead one's and removed it.
bool is_at(const Descriptor& file, const std::filesystem::path& path);

}  // namespace nerve::backups
