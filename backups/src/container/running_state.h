// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "page_state.h"
#include "reader.h"
#include "succession.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

namespace nerve::backups {

/// The hashes of all pages at one container of a chain, carried along from one to the next: each is read
/// once, and no other than the one that is applied need be open.
class RunningState {
 public:
  /// Before any container. The hashes are kept as PageState does.
  explicit RunningState(const std::filesystem::path& folder) : pages_(folder) {}

  /// The container that was applied last.
  const std::optional<ContainerEnd>& end() const noexcept { return end_; }
  const PageState& pages() const noexcept { return pages_; }

  /// Applies the lists of pages of the next container, a full first. Throws IntegrityError for what does not
  /// follow or cannot be read; it is then to be thrown away.
  void apply(const ContainerReader& container);

  /// The same, and compares each page with its hash on the way; `use` is called with each group.
  void apply_pages(const ContainerReader& container, const std::function<void(const PageGroup&)>& use);

  /// Whether the state is the one that the container applied last was sealed with.
  bool is_as_sealed() const;
  /// Throws IntegrityError where it is not.
  void require_as_sealed() const;

  RunningState copy() const { return {pages_.copy(), end_}; }
  PageState take() && { return std::move(pages_); }

 private:
  RunningState(PageState pages, std::optional<ContainerEnd> end)
      : pages_(std::move(pages)), end_(std::move(end)) {}

  template <class ReadGroup>
  void apply_groups(const ContainerReader& container, ReadGroup read_group);

  PageState pages_;
  std::optional<ContainerEnd> end_;
};

}  // namespace nerve::backups
