// SPDX-License-Identifier: Apache-2.0
#include "sqlite/write_lock.h"

#include "sqlite/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

namespace nerve::sqlite {

namespace {

/// The byte that a writer locks: PENDING_BYTE + 1 of
/// https://www.sqlite.org/fileformat2.html#the_lock_byte_page.
constexpr ::off_t reserved_byte = 0x40000001;

}  // namespace

WriteLock find_write_lock(const FileFacts& facts) noexcept {
  const SqliteFilesPause pause;
  if (is_open_here({facts.device, facts.inode})) return WriteLock::unknown;
  const Descriptor file = open_for_reading(facts.path);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = reserved_byte;
  lock.l_len = 1;
  if (!file || ::fcntl(file.number(), F_GETLK, &lock) != 0) return WriteLock::unknown;
  return lock.l_type == F_UNLCK ? WriteLock::free : WriteLock::held;
}

}  // namespace nerve::sqlite
