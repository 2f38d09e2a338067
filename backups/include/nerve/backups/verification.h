// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/time.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::backups {

/// How a backup was proved.
enum class Proof : std::uint8_t {
  hashes,   ///< its bytes are those that were written
  deep,     ///< SQLite read all of it, too
  restore,  ///< it was restored, and the result checked
};

/// "hashes", "deep" or "restore".
std::string_view to_string(Proof proof) noexcept;

/// When a backup was last proved, and how.
struct Verification {
  Timestamp verified_at;
  Proof proof = Proof::hashes;
  /// The database that it was last restored over, and the file that stood there then: what was made of a
  /// backup goes on with its history. Empty and absent where there is none.
  std::string restored_to = {};
  std::optional<FileIdentity> restored_file = std::nullopt;
};

/// Notes beside a backup that it was proved now (verified.json, docs/backup_repository.md); an earlier note
/// is replaced. Throws DeniedError where the repository cannot be written, and what else a write may throw.
void record_verification(const Repository& repository, const BackupId& id, Proof proof, const Clock& clock);

/// The same after a restore over the database `target`.
void record_restore(const Repository& repository, const BackupId& id, const std::filesystem::path& target,
                    const Clock& clock);

/// The note of the last time; absent where there is none, or none that can be read: it proves nothing then.
std::optional<Verification> last_verification(const Repository& repository, const BackupId& id);

}  // namespace nerve::backups
