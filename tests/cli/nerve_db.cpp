// SPDX-License-Identifier: Apache-2.0
#include "nerve_db.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace nerve::test {

ProcessResult nerve_db(std::vector<std::string> words, Environment env, const std::filesystem::path& cwd) {
  const char* program = std::getenv("NERVE_DB_BIN");
  REQUIRE(program != nullptr);
  words.insert(words.begin(), program);
  for (const char* name : {"NERVE_DB", "NERVE_REPO", "NERVE_WORKSPACE"}) env.emplace(name, std::nullopt);
  ProcessOptions options;
  options.env = std::move(env);
  options.cwd = cwd;
  return run_process(std::move(words), options);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_in_log(const PostgresServer& server, std::string_view words) {
  std::ostringstream text;
  text << std::ifstream(server.socket_folder() / "server.log").rdbuf();
  const std::string log = text.str();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = log.find(words, at)) != std::string::npos; ++at) ++count;
  return count;
}

}  // namespace nerve::test
