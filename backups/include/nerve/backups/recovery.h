// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/random.h"
#include "nerve/core/secret.h"
#include "nerve/core/time.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A recovery key opens the encrypted backups of a repository as their key does. People keep it, printed; the
/// repository holds no more than a slot, in which the master key of the backups is sealed for it
/// (docs/backup_format.md, "Recovery keys").
namespace nerve::backups {

/// What a repository knows of a recovery key.
struct RecoveryKey {
  enum class Opens : std::uint8_t { key_file, passphrase };

  Opens opens = Opens::key_file;  ///< what the backups were made with that it opens
  std::string check;              ///< by which their key is known again: 32 hexadecimal digits
  std::string key;                ///< the same as the manifests name it
  Timestamp made_at = {};
  std::string name = {};  ///< what people call it; may be empty
};

struct NewRecoveryKey {
  Secret text;  ///< what BackupKey::of_recovery_text() reads; it cannot be made again
  RecoveryKey key;
  std::size_t left_out = 0;  ///< authenticated encrypted backups that it does not open: they have another key
};

/// Makes one that opens what has the key of the newest authenticated encrypted backup, of `source` where that
/// is given, that the key of the repository (Repository::authenticated_by()) opens. Its slot also goes to the
/// folders of the fulls of that key.
///
/// Throws NotFoundError where there is no such backup, DeniedError where the repository has no key but a
/// recovery key or may not be written, ConflictError where it has 64 recovery keys, ValidationError for a
/// name over 100 bytes.
NewRecoveryKey make_recovery_key(const Repository& repository,
                                 const std::optional<std::filesystem::path>& source, std::string_view name,
                                 Random& random, const Clock& clock);

/// Those of a repository, in the order in which they were made. Throws IntegrityError where the note is
/// damaged.
std::vector<RecoveryKey> recovery_keys(const Repository& repository);

/// Removes the slots of all recovery keys, or of those with this name; also from the folders of the fulls.
/// Copies of the repository keep theirs, and who has opened such a slot knows the key of the backups. How
/// many there were.
std::size_t revoke_recovery_keys(const Repository& repository, const std::optional<std::string>& name);

}  // namespace nerve::backups
