// SPDX-License-Identifier: Apache-2.0
#include "page_state.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::size_t hash_bytes = PageHash().size();
constexpr std::uint32_t digest_step_pages = 4096;

::off_t offset_of(std::uint32_t page) {
  return static_cast<::off_t>(page - 1) * static_cast<::off_t>(hash_bytes);
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

}  // namespace

PageState::PageState(const std::filesystem::path& folder) : folder_(folder), file_(open_state_file(folder)) {}

void PageState::resize(std::uint32_t page_count) {
  // What is cut off must not come back when the database grows again.
  if (::ftruncate(file_.number(), offset_of(std::min(page_count, page_count_) + 1)) != 0 ||
      ::ftruncate(file_.number(), offset_of(page_count + 1)) != 0) {
    throw_system_error(errno, "cannot write to an unnamed file in", folder_);
  }
  page_count_ = page_count;
}

void PageState::set(std::span<const std::uint32_t> numbers, std::span<const PageHash> hashes) {
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    const ByteView run = std::as_bytes(hashes.subspan(begin, end - begin));
    try {
      write_at(file_, run, offset_of(numbers[begin]), folder_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      move_to_memory();
      write_at(file_, run, offset_of(numbers[begin]), folder_);
    }
    begin = end;
  }
}

void PageState::move_to_memory() {
  Descriptor memory = open_memory();
  if (::ftruncate(memory.number(), offset_of(page_count_ + 1)) != 0) {
    throw_system_error(errno, "cannot keep in memory what belongs in", folder_);
  }
  std::vector<PageHash> hashes;
  for (std::uint64_t first = 1; first <= page_count_; first += digest_step_pages) {
    read(static_cast<std::uint32_t>(first), digest_step_pages, hashes);
    write_at(memory, std::as_bytes(std::span(hashes)), offset_of(static_cast<std::uint32_t>(first)), folder_);
  }
  file_ = std::move(memory);
}

void PageState::read(std::uint32_t first, std::uint32_t count, std::vector<PageHash>& hashes) const {
  hashes.resize(first > page_count_ ? 0 : std::min(count, page_count_ - first + 1));
  read_at(file_, std::as_writable_bytes(std::span(hashes)), offset_of(first), folder_);
}

crypto::Sha256Digest PageState::digest() const {
  crypto::Sha256 hash;
  std::vector<PageHash> hashes;
  for (std::uint64_t first = 1; first <= page_count_; first += digest_step_pages) {
    read(static_cast<std::uint32_t>(first), digest_step_pages, hashes);
    hash.update(std::as_bytes(std::span(hashes)));
  }
  return hash.finish();
}

}  // namespace nerve::backups
