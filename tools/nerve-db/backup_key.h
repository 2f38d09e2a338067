// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/command.h"
#include "nerve/core/output.h"

#include <optional>
#include <vector>

namespace nerve {
class Arguments;
}

namespace nerve::cli {

/// --passphrase-file and --key-file.
std::vector<Parameter> key_options();

/// Whether one of them is given. Throws ValidationError where both are.
bool names_key(const Arguments& arguments);

enum class KeyUse : std::uint8_t {
  existing,  ///< opens what is there
  first,     ///< begins with it, so a passphrase that is typed is asked for twice
};

/// The key that the options name; else the passphrase in NERVE_PASSPHRASE; else one that is typed on the
/// terminal. Throws ValidationError where there is none of these, and what BackupKey throws.
backups::BackupKey required_key(const Output& output, const Arguments& arguments, KeyUse use);

/// The passphrase in NERVE_PASSPHRASE; absent where that is not set.
std::optional<backups::BackupKey> environment_key();

/// The passphrase in NERVE_PASSPHRASE or one that is typed, for commands without the options; absent where
/// there is neither.
std::optional<backups::BackupKey> passphrase_at_hand(const Output& output, KeyUse use);

}  // namespace nerve::cli
