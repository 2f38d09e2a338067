// SPDX-License-Identifier: Apache-2.0
#include "succession.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace nerve::backups {
namespace {

[[noreturn]] void refuse(const ContainerReader& container, std::string_view reason) {
  throw IntegrityError(fmt::format("{}: {}", container.path().string(), reason));
}

}  // namespace

ContainerEnd end_of(const ContainerReader& container) {
  return {container.path(), container.header(), container.trailer().state};
}

void require_next(const std::optional<ContainerEnd>& before, const ContainerReader& next) {
  const ContainerHeader& delta = next.header();
  if (!before) {
    if (delta.kind != ContainerKind::full) refuse(next, "it is a delta, and its full is not there");
    return;
  }
  const ContainerHeader& parent = before->header;
  if (delta.kind != ContainerKind::delta || delta.generation != parent.generation) {
    refuse(next, "it belongs to another generation of backups");
  }
  if (delta.parent != parent.id || delta.parent_state != before->state) {
    refuse(next, fmt::format("it is not a delta to {}", before->path.string()));
  }
  if (delta.depth <= parent.depth || delta.page_size_bytes != parent.page_size_bytes ||
      delta.cipher != parent.cipher || delta.hash_salt != parent.hash_salt) {
    refuse(next, "its header does not fit to its generation");
  }
  // A page that is new is in the delta: one that claims more would make a reader prepare for them.
  if (delta.page_count > std::uint64_t{parent.page_count} + next.trailer().stored_pages) {
    refuse(next, "it has fewer pages than it should add");
  }
}

}  // namespace nerve::backups
