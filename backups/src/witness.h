// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

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

/// What is remembered of the catalogue. It is read before the catalogue: a backup that ends in between has
/// written a later one.
struct WitnessedCatalogue {
  std::int64_t sequence = 0;  ///< 0 where nothing is remembered
  std::string line;           ///< SHA-256 of the last line
  std::int64_t begun = 0;
  std::string at;
  std::vector<std::string> encrypted_sources;  ///< the databases whose newest backups were encrypted
};

WitnessedCatalogue witnessed_catalogue(const Repository& repository);

/// Why the repository is not what it was; empty where it may be. `catalogue` was read with the line to watch
/// for.
std::string reason_to_miss(const Repository& repository, const WitnessedCatalogue& seen,
                           const Catalogue& catalogue);
std::string reason_to_miss(const Repository& repository);

/// Throws IntegrityError where the repository is not what it was: the newest that is there, where there is
/// one, is not the newest that there was.
void require_not_put_back(const Repository& repository, const std::optional<Manifest>& newest);

/// Remembers that copies of the repository were made in `folder`, so that they are found when it is gone. As
/// with remember(), that it cannot be remembered is no error.
void remember_copies_in(const Repository& repository, const std::string& folder);

/// The folders that copies of the repository at `repository` went to.
std::set<std::string> remembered_copies(const std::filesystem::path& repository,
                                        const std::filesystem::path& witness_folder);

/// Forgets what was seen, but for where copies were made: somebody has said that the repository is as it
/// should be. Returns whether anything was seen.
bool forget_witness(const Repository& repository);

/// Remembers the repository as it is. `made` is the backup that was just made; null after other changes. The
/// writer's catalogue is what it wrote last. That nothing can be remembered is no error: a repository must be
/// usable by who has no home.
void remember(const Repository& repository, const Catalogue& catalogue, const Manifest* made);

}  // namespace nerve::backups
