// SPDX-License-Identifier: Apache-2.0
#include "chain.h"

#include "group_walk.h"
#include "running_state.h"
#include "succession.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace nerve::backups {
namespace {

/// Where pages of a restored database go.
struct PageFile {
  const Descriptor& file;
  const std::filesystem::path& path;
  std::size_t page_bytes;
  std::uint32_t page_count;
  bool is_new;  ///< nothing was written yet, so that a page of zeros may stay a hole

  bool is_left_out(const PageGroup& group, std::size_t index) const {
    if (group.numbers[index] > page_count) return true;
    if (!is_new) return false;
    return is_zero(ByteView(group.octets).subspan(index * page_bytes, page_bytes));
  }

  /// Writes the pages of a group, neighbours together, and asks the kernel to go on to the disk with them, so
  /// that the last sync has little to do.
  void write(const PageGroup& group) const {
    write_pages(group);
    // A hint: that it cannot be followed is no error.
    ::sync_file_range(file.number(), offset_of(group.numbers.front()),
                      offset_of(group.numbers.back() + 1) - offset_of(group.numbers.front()),
                      SYNC_FILE_RANGE_WRITE);
  }

 private:
  ::off64_t offset_of(std::uint64_t number) const {
    return static_cast<::off64_t>((number - 1) * page_bytes);
  }

  void write_pages(const PageGroup& group) const {
    const std::size_t count = group.numbers.size();
    for (std::size_t begin = 0; begin < count;) {
      if (is_left_out(group, begin)) {
        ++begin;
        continue;
      }
      std::size_t end = begin + 1;
      while (end < count && group.numbers[end] == group.numbers[end - 1] + 1 && !is_left_out(group, end))
        ++end;
      write_at(file, ByteView(group.octets).subspan(begin * page_bytes, (end - begin) * page_bytes),
               offset_of(group.numbers[begin]), path);
      begin = end;
    }
  }
};

}  // namespace

Chain::Chain(const std::vector<std::filesystem::path>& paths, Keyring& keyring) {
  std::optional<ContainerEnd> before;
  for (const std::filesystem::path& path : paths) {
    containers_.push_back(std::make_unique<ContainerReader>(path, keyring));
    require_next(before, last());
    before = end_of(last());
  }
}

std::uint64_t Chain::stored_bytes() const noexcept {
  std::uint64_t bytes = 0;
  for (const auto& container : containers_) bytes += container->trailer().file_bytes;
  return bytes;
}

PageState Chain::state(const std::filesystem::path& folder) const {
  RunningState state(folder);
  for (const auto& container : containers_) state.apply(*container);
  if (!state.is_as_sealed()) refuse_state(folder);
  return std::move(state).take();
}

/// Finds the first container whose state is another one than it was sealed with.
void Chain::refuse_state(const std::filesystem::path& folder) const {
  RunningState state(folder);
  for (const auto& container : containers_) {
    state.apply(*container);
    state.require_as_sealed();
  }
  throw IntegrityError(fmt::format("{}: its pages changed while they were read", last().path().string()));
}

void Chain::verify(std::string_view phase, ProgressSink* progress, std::set<BackupId>& verified) const {
  const std::uint64_t total = stored_bytes();
  std::uint64_t before = 0;
  for (const auto& container : containers_) {
    if (!verified.contains(container->header().id)) {
      walk_groups(
          *container, [](const PageGroup& /*group*/) {},
          [&](std::uint64_t bytes) {
            if (progress != nullptr) progress->update(phase, before + bytes, total);
          });
      verified.insert(container->header().id);
    }
    before += container->trailer().file_bytes;
  }
}

void Chain::restore(const Descriptor& to, const std::filesystem::path& to_path, std::string_view phase,
                    ProgressSink* progress) const {
  const std::uint64_t total = stored_bytes();
  std::uint64_t before = 0;
  for (const auto& container : containers_) {
    const PageFile pages{to, to_path, page_size_bytes(), page_count(), container == containers_.front()};
    walk_groups(
        *container, [&](const PageGroup& group) { pages.write(group); },
        [&](std::uint64_t bytes) {
          if (progress != nullptr) progress->update(phase, before + bytes, total);
        });
    before += container->trailer().file_bytes;
  }
  if (::ftruncate(to.number(), static_cast<::off_t>(size_bytes())) != 0) {
    throw_system_error(errno, "cannot write", to_path);
  }
}

}  // namespace nerve::backups
