// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What this machine has last seen of a repository, kept outside of it: nothing inside a repository tells
/// that all of it was put back to an earlier state, or replaced by an empty one (docs/backup_repository.md,
/// "The witness").
namespace nerve::backups {

struct WitnessedDatabase {
  std::optional<LineId> line;
  std::optional<FileIdentity> file;
  bool is_encrypted = false;
};

/// What is remembered of a database; absent where nothing is, or the repository has no witness.
std::optional<WitnessedDatabase> witnessed_database(const Repository& repository, std::string_view source);

/// The highest number that a backup of the repository has had; 0 where nothing is remembered.
std::int64_t witnessed_sequence(const Repository& repository);

/// The SHA-256 of the catalogue's line that was the last one; empty where nothing is remembered.
std::string witnessed_line(const Repository& repository);

/// Why the repository is not what it was; empty where it may be. `catalogue` was read with witnessed_line()
/// as the line to watch for.
std::string reason_to_miss(const Repository& repository, const Catalogue& catalogue);
std::string reason_to_miss(const Repository& repository);

/// Forgets what was seen: somebody has said that the repository is as it should be.
void forget_witness(const Repository& repository);

/// Remembers the repository as it is. `made` is the backup that was just made; null after other changes. The
/// writer's catalogue is what it wrote last. That nothing can be remembered is no error: a repository must be
/// usable by who has no home.
void remember(const Repository& repository, const Catalogue& catalogue, const Manifest* made);

}  // namespace nerve::backups
