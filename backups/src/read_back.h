// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/chain.h"
#include "written_parts.h"

#include "nerve/core/progress.h"

#include <filesystem>
#include <string>

/// Proves that a restored database is what its backup holds, as written_parts.h has it.
namespace nerve::backups {

/// Compares each page of a restored database with its hash in `state`, which is that of `chain`; also those
/// that were left as holes. Reports bytes as "comparing". Two threads. Throws NotKeptError, CancelledError,
/// and where the file cannot be read.
void compare_with_state(const Descriptor& file, const std::filesystem::path& path, const Chain& chain,
                        const PageState& state, ProgressSink* progress);

/// Compares a whole file with its SHA-256 in hexadecimal digits. Reports and throws as the other one does.
void compare_with_sha256(const Descriptor& file, const std::filesystem::path& path, const std::string& sha256,
                         ProgressSink* progress);

}  // namespace nerve::backups
