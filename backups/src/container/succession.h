// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "header.h"
#include "reader.h"

#include <filesystem>
#include <optional>

namespace nerve::backups {

/// What the next container of a chain is held to: what a container says of itself, once it is closed.
struct ContainerEnd {
  std::filesystem::path path;
  ContainerHeader header;
  crypto::Sha256Digest state{};  ///< that it was sealed with
};

ContainerEnd end_of(const ContainerReader& container);

/// Throws IntegrityError where a container does not follow the one before; where none was, it must be a full.
void require_next(const std::optional<ContainerEnd>& before, const ContainerReader& next);

}  // namespace nerve::backups
