// SPDX-License-Identifier: Apache-2.0
// A library to preload (LD_PRELOAD) that makes one system call of a program go wrong.
//
// Every call that changes a file or folder is counted from 1: write, pwrite, ftruncate, fsync, fdatasync,
// fchmod, fchown, rename, unlink, rmdir, mkdir, and open with O_CREAT or O_TMPFILE. Writes to standard output
// and error are not.
//   NERVE_FAULT_AT=N       the call that goes wrong
//   NERVE_FAULT_KIND=...   kill: the program is killed instead of the call
//                          torn: a write does half of it, then the program is killed (other calls: as kill)
//                          short: a write does half of it and says so (other calls: nothing happens)
//                          EIO, ENOSPC: the call fails with that error
//                          lie: the call is not made and says that it was
//                          flip: a write is made with one bit of one byte changed (other calls: nothing
//                          happens)
//                          full: this and every later call fails with ENOSPC
// Syncs are counted but not made: a program that dies leaves its writes to the kernel, and syncing takes the
// most time.
//   NERVE_FAULT_LOG=FILE  at its end the program writes its calls there, a line each: number, name, file
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

std::atomic<long> calls{0};

// No containers: calls come before they are made and after they are destroyed.
std::array<char, std::size_t{1} << 20> log_text;
std::atomic<std::size_t> log_bytes{0};

enum class Fault { none, kill, torn, short_write, lie, flip, error };
enum class Way { make, fail, pretend };

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The file that a call is about: by its name, or by its descriptor.
class File {
 public:
  explicit File(const char* path) noexcept : path_(path) {}
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}

  void put_name(std::array<char, PATH_MAX>& name) const {
    if (path_ != nullptr) {
      std::snprintf(name.data(), name.size(), "%s", path_);
      return;
    }
    std::array<char, 64> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor_);
    const ssize_t length = ::readlink(link.data(), name.data(), name.size() - 1);
    name[length > 0 ? static_cast<std::size_t>(length) : 0] = '\0';
  }

 private:
  const char* path_ = nullptr;
  int descriptor_ = -1;
};

void log_call(long number, const char* call, const File& file) {
  const int code = errno;
  std::array<char, PATH_MAX> name{};
  file.put_name(name);
  std::array<char, PATH_MAX + 64> line{};
  const int length = std::snprintf(line.data(), line.size(), "%ld %s %s\n", number, call, name.data());
  const auto size = static_cast<std::size_t>(length);
  const std::size_t begin = log_bytes.fetch_add(size);
  if (begin + size <= log_text.size()) std::memcpy(log_text.data() + begin, line.data(), size);
  errno = code;
}

/// Counts a call and says what is to happen to it; for Fault::error, errno is set.
Fault next_fault(const char* name, const File& file) {
  const long call = ++calls;
  if (std::getenv("NERVE_FAULT_LOG") != nullptr) log_call(call, name, file);
  const char* at = std::getenv("NERVE_FAULT_AT");
  const char* kind = std::getenv("NERVE_FAULT_KIND");
  if (at == nullptr || kind == nullptr) return Fault::none;
  const bool is_full = std::strcmp(kind, "full") == 0;
  const long target = std::atol(at);
  if (call != target && !(is_full && call > target)) return Fault::none;
  if (std::strcmp(kind, "kill") == 0) return Fault::kill;
  if (std::strcmp(kind, "torn") == 0) return Fault::torn;
  if (std::strcmp(kind, "short") == 0) return Fault::short_write;
  if (std::strcmp(kind, "lie") == 0) return Fault::lie;
  if (std::strcmp(kind, "flip") == 0) return Fault::flip;
  errno = std::strcmp(kind, "EIO") == 0 ? EIO : ENOSPC;
  return Fault::error;
}

/// For calls that cannot be done by half: what is to become of this one.
Way way_of(const char* name, const File& file) {
  switch (next_fault(name, file)) {
    case Fault::kill:
    case Fault::torn:
      ::raise(SIGKILL);
      return Way::fail;
    case Fault::error:
      return Way::fail;
    case Fault::lie:
      return Way::pretend;
    case Fault::none:
    case Fault::short_write:
    case Fault::flip:
      return Way::make;
  }
  return Way::make;
}

/// The result of such a call, which `make_call` makes.
template <class MakeCall>
int call_unless(const char* name, const File& file, MakeCall make_call) {
  const Way way = way_of(name, file);
  if (way == Way::make) return make_call();
  return way == Way::pretend ? 0 : -1;
}

/// Calls `write_bytes` for `bytes` of which one bit is another one. Which byte it is changes with the call.
template <class WriteBytes>
ssize_t write_flipped(const void* bytes, std::size_t size, WriteBytes write_bytes) {
  if (size == 0) return write_bytes(bytes, size);
  constexpr std::size_t far_apart = 2654435761;
  const auto copy = std::make_unique<char[]>(size);
  std::memcpy(copy.get(), bytes, size);
  copy[static_cast<std::size_t>(calls) * far_apart % size] ^= 1;
  return write_bytes(copy.get(), size);
}

/// `write_bytes(from, n)` writes n bytes.
template <class WriteBytes>
ssize_t write_with_fault(const char* name, int file, const void* bytes, std::size_t size,
                         WriteBytes write_bytes) {
  switch (next_fault(name, File(file))) {
    case Fault::none:
      return write_bytes(bytes, size);
    case Fault::kill:
      ::raise(SIGKILL);
      return -1;
    case Fault::torn:
      write_bytes(bytes, size / 2);
      ::raise(SIGKILL);
      return -1;
    case Fault::short_write:
      return write_bytes(bytes, size > 1 ? size / 2 : size);
    case Fault::lie:
      return static_cast<ssize_t>(size);
    case Fault::flip:
      return write_flipped(bytes, size, write_bytes);
    case Fault::error:
      return -1;
  }
  return -1;
}

/// O_TMPFILE is more than one bit: a folder that is opened has some of them.
bool makes_file(int flags) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

mode_t mode_of(int flags, va_list arguments) {
  return makes_file(flags) ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

[[gnu::destructor]] void report_calls() {
  const char* path = std::getenv("NERVE_FAULT_LOG");
  if (path == nullptr || log_bytes > log_text.size()) return;
  if (std::FILE* file = std::fopen(path, "w")) {
    std::fwrite(log_text.data(), 1, log_bytes, file);
    std::fclose(file);
  }
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  if (file <= STDERR_FILENO) return real(file, bytes, size);
  return write_with_fault("write", file, bytes, size,
                          [&](const void* from, std::size_t part) { return real(file, from, part); });
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  static const auto real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return write_with_fault("pwrite", file, bytes, size,
                          [&](const void* from, std::size_t part) { return real(file, from, part, offset); });
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return pwrite64(file, bytes, size, offset);
}

int ftruncate64(int file, off64_t size) noexcept {
  static const auto real = next<int(int, off64_t)>("ftruncate64");
  return call_unless("ftruncate", File(file), [&] { return real(file, size); });
}

int ftruncate(int file, off_t size) noexcept {
  return ftruncate64(file, size);
}

int fsync(int file) {
  return call_unless("fsync", File(file), [&] { return 0; });
}

int fdatasync(int file) {
  return call_unless("fdatasync", File(file), [&] { return 0; });
}

/// A hint, whose failure nobody minds; made, it would wait for the device.
int sync_file_range(int /*file*/, off64_t /*offset*/, off64_t /*bytes*/, unsigned int /*flags*/) {
  return 0;
}

int fchmod(int file, mode_t mode) noexcept {
  static const auto real = next<int(int, mode_t)>("fchmod");
  return call_unless("fchmod", File(file), [&] { return real(file, mode); });
}

int fchown(int file, uid_t owner, gid_t group) noexcept {
  static const auto real = next<int(int, uid_t, gid_t)>("fchown");
  return call_unless("fchown", File(file), [&] { return real(file, owner, group); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int(const char*, const char*)>("rename");
  return call_unless("rename", File(from), [&] { return real(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned int flags) noexcept {
  static const auto real = next<int(int, const char*, int, const char*, unsigned int)>("renameat2");
  return call_unless("rename", File(from), [&] { return real(from_folder, from, to_folder, to, flags); });
}

int unlink(const char* path) noexcept {
  static const auto real = next<int(const char*)>("unlink");
  return call_unless("unlink", File(path), [&] { return real(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto real = next<int(int, const char*, int)>("unlinkat");
  return call_unless("unlink", File(path), [&] { return real(folder, path, flags); });
}

int rmdir(const char* path) noexcept {
  static const auto real = next<int(const char*)>("rmdir");
  return call_unless("rmdir", File(path), [&] { return real(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int(const char*, mode_t)>("mkdir");
  return call_unless("mkdir", File(path), [&] { return real(path, mode); });
}

int open64(const char* path, int flags, ...) {
  static const auto real = next<int(const char*, int, ...)>("open64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  // There is no descriptor to pretend with.
  if (makes_file(flags) && way_of("open", File(path)) != Way::make) return -1;
  return real(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open64(path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  static const auto real = next<int(int, const char*, int, ...)>("openat64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if (makes_file(flags) && way_of("open", File(path)) != Way::make) return -1;
  return real(folder, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return openat64(folder, path, flags, mode);
}

}  // extern "C"
