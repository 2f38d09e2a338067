// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres_server.h"
#include "support/process.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

using Environment = std::map<std::string, std::optional<std::string>>;

/// Runs the command that NERVE_DB_BIN names, with no workspace, repository or database of the environment.
ProcessResult nerve_db(std::vector<std::string> words, Environment env = {},
                       const std::filesystem::path& cwd = {});

bool contains(const std::string& text, std::string_view part);

/// How often the log of a server says `words`.
std::size_t count_in_log(const PostgresServer& server, std::string_view words);

}  // namespace nerve::test
