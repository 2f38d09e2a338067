// SPDX-License-Identifier: Apache-2.0
// What somebody can do who may write to a repository and has no key: every hash that needs none is made right
// again.
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/json.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nerve::test {

/// The key of a key file that holds this octet 32 times: as good as a passphrase, and found without scrypt.
backups::BackupKey key_of_file(std::byte octet = std::byte{7});

/// Changes the JSON of a manifest as text, and makes its hash fit.
void edit_manifest(const backups::Repository& repository, const backups::BackupId& id,
                   const std::function<void(Json&)>& edit);

/// Makes a catalogue that says what the folder holds, without any key.
void fit_catalogue(const backups::Repository& repository);

/// Copies a backup from another repository, whose files stay what they are.
void plant(const backups::Repository& from, const backups::BackupId& id, const backups::Repository& to);

/// Takes what manifests of older versions do not have out of all that are there.
void age_manifests(const backups::Repository& repository, const std::function<void(Json&)>& edit);

/// The lines of the catalogue, without their ends.
std::vector<std::string> catalogue_lines(const backups::Repository& repository);

/// Writes the catalogue anew; each line gets the hash of the one before it.
void write_catalogue(const backups::Repository& repository, const std::vector<Json>& lines);

/// Puts the folder `from` in the place of the folder `to`, which is removed.
void put_back(const std::filesystem::path& from, const std::filesystem::path& to);

/// What list() says against the backup; empty where it counts. A backup that is not listed is a failure.
std::string problem_of(const backups::Repository& repository, const backups::BackupId& id);

}  // namespace nerve::test
