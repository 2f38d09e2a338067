// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/raw_file.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

namespace nerve::sqlite {

struct RawFile::Open {
  explicit Open(const std::filesystem::path& path) : name(path.string()) {}

  sqlite3_file* file() noexcept { return reinterpret_cast<sqlite3_file*>(memory.data()); }

  std::string name;
  std::vector<char> terminated_path;     ///< with the two zeros behind it that SQLite wants
  std::vector<std::max_align_t> memory;  ///< of the sqlite3_file
  bool is_open = false;
};

namespace {

[[noreturn]] void throw_not_opened(const std::filesystem::path& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      throw NotFoundError("there is no file " + path.string(), "Check the path.");
    if (errno == EACCES || errno == EPERM) {
      throw DeniedError("may not read " + path.string(), "Run the command as the owner of the file.");
    }
  }
  throw Error(ErrorKind::failure, "cannot open " + path.string(),
              "See whether the process has too many files open, and look into the system's log (dmesg).");
}

}  // namespace

RawFile::RawFile(const std::filesystem::path& path) : open_(std::make_unique<Open>(path)) {
  sqlite3_vfs* vfs = sqlite3_vfs_find("unix");
  if (vfs == nullptr)
    throw Error(ErrorKind::failure, "this SQLite cannot open files", "Use Debian's libsqlite3-0.");
  const std::string text = std::filesystem::absolute(path).string();
  open_->terminated_path.assign(text.begin(), text.end());
  open_->terminated_path.insert(open_->terminated_path.end(), 2, '\0');
  open_->memory.resize(static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1);
  int flags = 0;
  const int result = vfs->xOpen(vfs, open_->terminated_path.data(), open_->file(),
                                SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY, &flags);
  open_->is_open = open_->file()->pMethods != nullptr;
  if (result != SQLITE_OK) throw_not_opened(path);
}

RawFile::RawFile(RawFile&&) noexcept = default;
RawFile& RawFile::operator=(RawFile&&) noexcept = default;

RawFile::~RawFile() {
  if (open_ && open_->is_open) open_->file()->pMethods->xClose(open_->file());
}

std::uint64_t RawFile::size_bytes() const {
  sqlite3_int64 size = 0;
  if (open_->file()->pMethods->xFileSize(open_->file(), &size) != SQLITE_OK) {
    throw Error(ErrorKind::failure, "cannot look at " + open_->name,
                "The device may be failing: look into the system's log (dmesg).");
  }
  return static_cast<std::uint64_t>(size);
}

std::size_t RawFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  const std::uint64_t size = size_bytes();
  if (offset >= size) return 0;
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>({size - offset, bytes.size(), INT_MAX}));
  // What is cut off meanwhile reads as zeros.
  const int result = open_->file()->pMethods->xRead(open_->file(), bytes.data(), static_cast<int>(count),
                                                    static_cast<sqlite3_int64>(offset));
  if (result == SQLITE_OK || result == SQLITE_IOERR_SHORT_READ) return count;
  throw Error(ErrorKind::failure, "cannot read " + open_->name,
              "The device may be failing: look into the system's log (dmesg).");
}

}  // namespace nerve::sqlite
