// SPDX-License-Identifier: Apache-2.0
#include "sqlite/descriptor.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace nerve::sqlite {

ExclusiveLease::ExclusiveLease(const std::filesystem::path& path) {
  const FileFacts facts = read_file_facts(path);
  // Any regular file will do: a damaged database is no database any more, and is still to be guarded.
  const bool is_file = facts.kind == FileKind::not_sqlite || facts.kind == FileKind::maybe_encrypted;
  if (!is_file) require_database(facts);
  // Until the descriptor is closed again, unless the lease is held: then nobody else has the file open.
  const SqliteFilesPause pause;
  if (is_open_here({facts.device, facts.inode})) {
    // One more descriptor of ours would drop SQLite's locks when it is closed, and the answer is known.
    state_ = State::busy;
    return;
  }
  Descriptor file = open_for_reading(path);
  if (!file) throw DeniedError("cannot open " + path.string() + ": " + std::strerror(errno));
  // The default, SIGIO, would end the process; SIGURG is ignored by default.
  ::fcntl(file.number(), F_SETSIG, SIGURG);
  if (::fcntl(file.number(), F_SETLEASE, F_WRLCK) == 0) {
    state_ = State::held;
    descriptor_ = file.release();
  } else {
    state_ = errno == EAGAIN || errno == EBUSY ? State::busy : State::unsupported;
  }
}

ExclusiveLease::ExclusiveLease(ExclusiveLease&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      state_(std::exchange(other.state_, State::unsupported)) {}

ExclusiveLease& ExclusiveLease::operator=(ExclusiveLease&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(state_, other.state_);
  return *this;
}

ExclusiveLease::~ExclusiveLease() {
  release();
}

bool ExclusiveLease::is_undisturbed() const noexcept {
  // While the lease is being broken, the kernel answers with what it is to become.
  return descriptor_ >= 0 && ::fcntl(descriptor_, F_GETLEASE) == F_WRLCK;
}

void ExclusiveLease::release() noexcept {
  if (descriptor_ < 0) return;
  const int number = std::exchange(descriptor_, -1);
  state_ = State::unsupported;
  // Who of this process waits to open the file goes on when the lease ends, and locks it after the pause.
  const SqliteFilesPause pause;
  struct stat status {};
  const bool is_shared =
      ::fstat(number, &status) != 0 || is_open_here({status.st_dev, status.st_ino}, number);
  // A process that was forked meanwhile has the descriptor, too, so that to close it would not end the lease.
  ::fcntl(number, F_SETLEASE, F_UNLCK);
  // Somebody of this process has waited for longer than a lease lasts, and may have locked the file: then the
  // descriptor stays open, which costs a number, since closing it would drop that lock.
  if (!is_shared) ::close(number);
}

}  // namespace nerve::sqlite
