// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/chain.h"
#include "container/keys.h"
#include "container/succession.h"
#include "partial_backup.h"
#include "snapshot/snapshot.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nerve::backups {

/// The backups that lead to one that is a container, its full first and itself last. Throws NotFoundError or
/// IntegrityError where one of them is gone or its manifest cannot be trusted.
std::vector<Manifest> lineage_of(const Repository& repository, const Manifest& manifest);

/// The same of one that is listed as trusted: all that it leads back to is among the entries.
std::vector<Manifest> lineage_in(std::span<const Entry> entries, const Manifest& newest);

/// Their containers.
std::vector<std::filesystem::path> container_paths(const Repository& repository,
                                                   const std::vector<Manifest>& lineage);

/// Throws IntegrityError where a container is not the one that the manifest is of: the same id and
/// generation, the same size, encrypted where the manifest says so.
void require_container_of(const Manifest& manifest, const ContainerEnd& container);

/// The chain of a backup, which is held to be the one that the manifest is of: the same id and generation,
/// the same size, encrypted where the manifest says so. Throws what lineage_of() and Chain throw, and
/// IntegrityError.
Chain open_chain(const Repository& repository, const Manifest& manifest, Keyring& keyring);

/// What a delta can be made against.
struct Generation {
  std::unique_ptr<ContainerReader> parent;
  PageState state;    ///< at that backup
  std::string proof;  ///< what keep_proof() is to keep
};

/// Throws DeniedError where the backups of a database are encrypted and the key is not there or not the right
/// one.
void require_key_of_encrypted(const sqlite::FileFacts& facts, const Repository& repository,
                              std::span<const Entry> entries, Keyring& keyring);

/// The generation of a history that continues; absent where a full is due. Damage that is known, or found in
/// the part of the chain that is proved now, ends it.
std::optional<Generation> find_generation(const sqlite::FileFacts& facts, const Repository& repository,
                                          std::span<const Entry> entries, const std::optional<LineId>& line,
                                          const BackupOptions& options, Keyring& keyring, const Clock& clock);

/// Hands all pages of a database to its argument, as Snapshot::read_pages() does.
using ReadPages = std::function<void(const TakePage&)>;

/// Writes the pages of a database to a container in `partial`, and what it is to the manifest: a delta where
/// a generation is given and goes on.
void write_container(const SnapshotShape& shape, const ReadPages& read_pages,
                     const std::optional<Generation>& generation, Keyring& keyring,
                     const PartialBackup& partial, Manifest& manifest);

}  // namespace nerve::backups
