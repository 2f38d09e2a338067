// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What the folder of a repository holds, as its files say it.
namespace nerve::backups {

/// The ids of the backups in a repository, sorted.
std::vector<std::string> backup_names(const std::filesystem::path& repository);

/// The manifest of the backup in `folder`. Throws what parse_manifest() and reading a file throw, and
/// IntegrityError for one that belongs to another backup.
Manifest read_manifest(const std::filesystem::path& folder);

/// Every backup that is there or should be, by id. One that cannot be trusted is listed with its problem.
/// Without a keyring in the repository there is no key to authenticate them with.
std::vector<Entry> read_entries(const Repository& repository);

/// Whether an entry is later than a backup. Where the catalogue does not know it, its id does, which begins
/// with its time.
bool is_later(const Entry& entry, const Manifest& manifest);

/// The ids of those that the catalogue misses. `names` are the backup_names() of the folder.
std::vector<std::string> gone_backups(const std::filesystem::path& repository, const Catalogue& catalogue,
                                      const std::vector<std::string>& names, Keyring* keyring);

/// What is wrong with a catalogue beside the backups with these names.
std::vector<std::string> problems_of(const Catalogue& catalogue, const std::vector<std::string>& names,
                                     const std::filesystem::path& repository);

/// What is wrong with the lines of the authenticated ones among `entries`: that they are not.
std::vector<std::string> unauthenticated_lines(const Catalogue& catalogue, const std::vector<Entry>& entries,
                                               const std::filesystem::path& repository);

/// The lines of a catalogue that says what the folder holds.
std::vector<CatalogueLine> lines_for(const std::filesystem::path& repository, const Catalogue& catalogue,
                                     const std::vector<std::string>& names);

/// The highest sequence of the backups there, as the catalogue or, where it does not know them all, their
/// manifests say.
std::int64_t highest_sequence(const Repository& repository);
std::int64_t highest_sequence(const Repository& repository, const Catalogue& catalogue);

/// The number after `sequence`. Throws IntegrityError where there is none: no repository comes to the highest
/// number by itself, so a manifest or the catalogue says it that somebody else wrote.
std::int64_t successor_of(std::int64_t sequence, const std::filesystem::path& repository);

}  // namespace nerve::backups
