// SPDX-License-Identifier: Apache-2.0
#include "contestants.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace nerve::bench {
namespace {

bool is_installed(const std::string& program) {
  std::istringstream folders(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  fmt::print("{} is not installed and is left out\n", program);
  return false;
}

/// A line of the shell whose $1 and so on are `arguments`: no path is quoted by hand.
Words shell(const std::string& line, const Words& arguments) {
  Words words{"sh", "-c", line, "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

/// As a text of SQL or of the shell of sqlite3.
std::string quoted(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char letter : path.string()) {
    text += letter;
    if (letter == '\'') text += letter;
  }
  return text + "'";
}

/// None of the two syncs what it has written in every version, so that is done for them.
Contestant sqlite3_shell(const Places& places, const std::string& name, const std::string& statement) {
  const std::filesystem::path copy = places.folder / "sqlite3-copy.db";
  return {name,
          {},
          shell(R"(sqlite3 -cmd '.timeout 10000' "$1" "$2" && sync "$3")",
                {places.database(), statement + quoted(copy), copy}),
          {},
          {},
          copy,
          copy};
}

Contestant restic(const Places& places) {
  const std::filesystem::path repository = places.folder / "restic";
  const std::filesystem::path restored = places.folder / "restic-restored";
  std::ofstream(places.folder / "password") << "a password for the benchmark\n";
  ::setenv("RESTIC_PASSWORD_FILE", (places.folder / "password").c_str(), 1);
  ::setenv("RESTIC_CACHE_DIR", (places.folder / "restic-cache").c_str(), 1);
  ::setenv("RESTIC_REPOSITORY", repository.c_str(), 1);
  return {"restic",
          {"restic", "init"},
          // The -wal goes along where there is one, as who uses restic on a live database would have it.
          shell(R"(cd "$1" && restic backup sample.db*)", {places.folder}),
          shell(R"(restic restore latest --target "$1" && sync "$1/sample.db")", {restored}),
          {},
          repository,
          restored / "sample.db"};
}

Contestant borg(const Places& places) {
  const std::filesystem::path repository = places.folder / "borg";
  const std::filesystem::path restored = places.folder / "borg-restored";
  ::setenv("BORG_PASSPHRASE", "a password for the benchmark", 1);
  ::setenv("BORG_BASE_DIR", (places.folder / "borg-base").c_str(), 1);
  ::setenv("BORG_REPO", repository.c_str(), 1);
  return {
      "borg",
      {"borg", "init", "--encryption=repokey-blake2"},
      shell(R"(cd "$1" && borg create "::{now:%s%f}" sample.db*)", {places.folder}),
      shell(
          R"~(mkdir -p "$1" && cd "$1" && borg extract "::$(borg list --short --last 1)" && sync sample.db)~",
          {restored}),
      {},
      repository,
      restored / "sample.db"};
}

}  // namespace

Contestant cp_and_fsync(const Places& places) {
  return {"cp + fsync",
          {},
          shell(R"(cp --reflink=never --sparse=never "$1" "$2" && sync "$2")",
                {places.database(), places.copy()}),
          {},
          {},
          places.copy(),
          places.copy()};
}

std::vector<Contestant> peers(const Places& places) {
  std::vector<Contestant> found;
  if (is_installed("sqlite3")) {
    found.push_back(sqlite3_shell(places, "sqlite3 .backup", ".backup "));
    found.push_back(sqlite3_shell(places, "sqlite3 VACUUM INTO", "VACUUM INTO "));
  }
  if (is_installed("restic")) found.push_back(restic(places));
  if (is_installed("borg")) found.push_back(borg(places));
  return found;
}

Contestant nerve_db(const Places& places, NerveForm form) {
  const std::string program = form.is_before ? places.nerve_db_before : places.nerve_db;
  std::string name = form.is_before ? "before: nerve-db" : "nerve-db";
  Words options;
  Words key;
  if (!form.is_checked) {
    name += " --no-check";
    options = {"--no-check"};
  }
  if (form.is_encrypted) {
    name += ", encrypted";
    if (!std::filesystem::exists(places.key_file()))
      std::ofstream(places.key_file()) << "0123456789abcdef0123456789abcdef";
    std::filesystem::permissions(places.key_file(), std::filesystem::perms::owner_read);
    key = {"--key-file", places.key_file()};
  }
  const std::filesystem::path repository =
      places.folder /
      fmt::format("nerve{}{}", form.is_checked ? "" : "-unchecked", form.is_before ? "-before" : "");
  const std::filesystem::path restored = places.folder / "nerve-restored.db";
  const auto with = [&](Words words, const Words& more) {
    for (const Words& part : {more, key}) words.insert(words.end(), part.begin(), part.end());
    words.insert(words.end(), {"--repo", repository, "--db", places.database()});
    return words;
  };
  return {name,
          {},
          with({program, "backup"}, options),
          with({program, "restore", "latest"}, {"--to", restored}),
          with({program, "backup", "verify"}, {}),
          repository,
          restored};
}

std::uint64_t stored_bytes(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    return std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0;
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace nerve::bench
