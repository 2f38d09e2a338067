// SPDX-License-Identifier: Apache-2.0
#include "running_state.h"

#include "group_codec.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <cstddef>

namespace nerve::backups {

template <class ReadGroup>
void RunningState::apply_groups(const ContainerReader& container, ReadGroup read_group) {
  require_next(end_, container);
  end_ = end_of(container);
  GroupCodec codec(container.header(), container.keys());
  PageGroup group;
  pages_.resize(container.header().page_count);
  for (std::size_t number = 0; number < container.group_count(); ++number) {
    read_group(number, codec, group);
    pages_.set(group.numbers, group.hashes);
  }
}

void RunningState::apply(const ContainerReader& container) {
  apply_groups(container, [&](std::size_t number, GroupCodec& codec, PageGroup& group) {
    container.read_hashes(number, codec, group);
  });
}

void RunningState::apply_pages(const ContainerReader& container,
                               const std::function<void(const PageGroup&)>& use) {
  apply_groups(container, [&](std::size_t number, GroupCodec& codec, PageGroup& group) {
    container.read_group(number, codec, group);
    use(group);
  });
}

bool RunningState::is_as_sealed() const {
  return end_ && pages_.digest() == end_->state;
}

void RunningState::require_as_sealed() const {
  if (is_as_sealed()) return;
  throw IntegrityError(fmt::format("{}: its list of pages was altered",
                                   end_ ? end_->path.string() : "a chain of no container"));
}

}  // namespace nerve::backups
