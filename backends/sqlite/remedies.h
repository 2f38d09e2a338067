// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

/// Hints that several errors share, with commands that can be pasted into a shell.
namespace nerve::sqlite {

/// For a database that is damaged.
std::string restore_hint(const std::filesystem::path& database);

/// For a database with the journal of a writer that died, when it was opened for reading: the same command
/// that health names.
std::string recovery_hint(const std::filesystem::path& database);

}  // namespace nerve::sqlite
