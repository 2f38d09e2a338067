// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"

#include <string>

namespace nerve::fuzz {

/// The key file that opens what is encrypted among the inputs: 32 bytes of 0xAA.
const backups::BackupKey& sample_key();

/// That key with a salt, as manifests and lines of a catalogue name it.
std::string sample_key_name();

}  // namespace nerve::fuzz
