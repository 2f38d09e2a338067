// SPDX-License-Identifier: Apache-2.0
#include "page_state.h"

#include "../layout.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::size_t hash_bytes = PageHash().size();
constexpr std::uint32_t step_pages = 4096;

::off_t offset_of(std::uint64_t page) {
  return (static_cast<::off_t>(page) - 1) * static_cast<::off_t>(hash_bytes);
}

Descriptor open_memory() {
  Descriptor file(::memfd_create("page hashes", MFD_CLOEXEC));
  if (file.number() < 0) throw_system_error(errno, "cannot make a file in memory for", "page hashes");
  return file;
}

/// A repository that may only be read, or that is full, holds no file of ours; there memory must do.
Descriptor open_state_file(const std::filesystem::path& folder) {
  try {
    return open_unnamed_file(folder);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::denied && error.kind() != ErrorKind::unavailable) throw;
    return open_memory();
  }
}

bool is_cache_of(const Descriptor& file, std::uint32_t page_count) {
  struct stat status {};
  return ::fstat(file.number(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_size == offset_of(std::uint64_t{page_count} + 1);
}

}  // namespace

PageState::PageState(const std::filesystem::path& folder) : folder_(folder), file_(open_state_file(folder)) {}

void PageState::resize(std::uint32_t page_count) {
  // What is cut off must not come back when the database grows again.
  if (::ftruncate(file_.number(), offset_of(std::uint64_t{std::min(page_count, page_count_)} + 1)) != 0 ||
      ::ftruncate(file_.number(), offset_of(std::uint64_t{page_count} + 1)) != 0) {
    throw_system_error(errno, "cannot write to an unnamed file in", folder_);
  }
  page_count_ = page_count;
}

void PageState::set(std::span<const std::uint32_t> numbers, std::span<const PageHash> hashes) {
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    write(numbers[begin], hashes.subspan(begin, end - begin));
    begin = end;
  }
}

void PageState::write(std::uint32_t first, std::span<const PageHash> hashes) {
  const ByteView run = std::as_bytes(hashes);
  try {
    write_at(file_, run, offset_of(first), folder_);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    move_to_memory();
    write_at(file_, run, offset_of(first), folder_);
  }
}

void PageState::move_to_memory() {
  Descriptor memory = open_memory();
  if (::ftruncate(memory.number(), offset_of(std::uint64_t{page_count_} + 1)) != 0) {
    throw_system_error(errno, "cannot keep in memory what belongs in", folder_);
  }
  copy_to(memory, folder_);
  file_ = std::move(memory);
}

void PageState::copy_to(const Descriptor& file, const std::filesystem::path& path) const {
  std::vector<PageHash> hashes;
  for (std::uint64_t first = 1; first <= page_count_; first += step_pages) {
    read(static_cast<std::uint32_t>(first), step_pages, hashes);
    write_at(file, std::as_bytes(std::span(hashes)), offset_of(first), path);
  }
}

PageState PageState::copy() const {
  PageState other(folder_);
  other.resize(page_count_);
  std::vector<PageHash> hashes;
  for (std::uint64_t first = 1; first <= page_count_; first += step_pages) {
    read(static_cast<std::uint32_t>(first), step_pages, hashes);
    other.write(static_cast<std::uint32_t>(first), hashes);
  }
  return other;
}

std::optional<PageState> PageState::load(const std::filesystem::path& file, std::uint32_t page_count,
                                         const crypto::Sha256Digest& expected,
                                         const std::filesystem::path& folder) {
  try {
    // Opening a FIFO would wait for whoever writes to it.
    const Descriptor cache = open_file(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!is_cache_of(cache, page_count)) return std::nullopt;
    PageState state(folder);
    state.resize(page_count);
    std::vector<PageHash> hashes;
    for (std::uint64_t first = 1; first <= page_count; first += step_pages) {
      hashes.resize(std::min<std::uint64_t>(step_pages, page_count - first + 1));
      read_at(cache, std::as_writable_bytes(std::span(hashes)), offset_of(first), file);
      state.write(static_cast<std::uint32_t>(first), hashes);
    }
    if (state.digest() == expected) return state;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

void PageState::save(const std::filesystem::path& file) const {
  const std::filesystem::path partial =
      file.parent_path() /
      fmt::format("{}{}-{}", partial_folder_prefix, file.filename().string(), ::getpid());
  remove_if_there(partial);
  try {
    copy_to(open_file(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600), partial);
    if (::rename(partial.c_str(), file.c_str()) != 0) throw_system_error(errno, "cannot write", file);
  } catch (const Error&) {
    ::unlink(partial.c_str());
    throw;
  }
}

void PageState::read(std::uint32_t first, std::uint32_t count, std::vector<PageHash>& hashes) const {
  hashes.resize(first > page_count_ ? 0 : std::min(count, page_count_ - first + 1));
  read_at(file_, std::as_writable_bytes(std::span(hashes)), offset_of(first), folder_);
}

crypto::Sha256Digest PageState::digest() const {
  crypto::Sha256 hash;
  std::vector<PageHash> hashes;
  for (std::uint64_t first = 1; first <= page_count_; first += step_pages) {
    read(static_cast<std::uint32_t>(first), step_pages, hashes);
    hash.update(std::as_bytes(std::span(hashes)));
  }
  return hash.finish();
}

}  // namespace nerve::backups
