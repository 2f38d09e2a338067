// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/command.h"
#include "nerve/core/output.h"

#include <optional>
#include <string_view>
#include <vector>

namespace nerve {
class Arguments;
}

namespace nerve::cli {

/// --passphrase-file and --key-file.
std::vector<Argument> key_options();

/// --recovery-key-file, for commands that open what there is and make no new backups.
Argument recovery_key_option();

/// Whether one of the three is given. Throws ValidationError where several are.
bool names_key(const Arguments& arguments);

enum class KeyUse : std::uint8_t {
  existing,  ///< opens what is there, which a recovery key does, too
  itself,    ///< makes what the key is known of, which no recovery key does
  first,     ///< begins with it, so a passphrase that is typed is asked for twice
};

/// Whether systemd hands a key over to the service that runs us (LoadCredential=): one of the files
/// nerve-backup-passphrase and nerve-backup-key in $CREDENTIALS_DIRECTORY. Throws ValidationError where both
/// are there.
bool has_credential_key();

inline constexpr std::string_view passphrase_credential = "nerve-backup-passphrase";
inline constexpr std::string_view key_credential = "nerve-backup-key";

/// The key that the options name; else that of systemd's credentials; else the passphrase in
/// NERVE_PASSPHRASE; else the recovery key in NERVE_RECOVERY_KEY; else a passphrase that is typed on the
/// terminal. Throws ValidationError where there is none of these, and what BackupKey throws.
backups::BackupKey required_key(const Output& output, const Arguments& arguments, KeyUse use);

/// The key of systemd's credentials, else the passphrase in NERVE_PASSPHRASE, else the recovery key in
/// NERVE_RECOVERY_KEY; absent where there is none of them. Throws ValidationError where both variables are
/// set.
std::optional<backups::BackupKey> environment_key();

/// The same, else one that is typed, for commands without the options; absent where
/// there is neither.
std::optional<backups::BackupKey> passphrase_at_hand(const Output& output, KeyUse use);

}  // namespace nerve::cli
