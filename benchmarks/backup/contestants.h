// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerve::bench {

using Words = std::vector<std::string>;

/// What a program that makes backups is asked to do. What is not there has no words.
struct Contestant {
  std::string name;
  Words prepare;  ///< not measured
  Words back_up;  ///< a first backup, then increments where it makes some
  Words restore;  ///< writes a database to `restored`
  Words verify;
  std::filesystem::path stored;  ///< the file or folder that it writes to
  std::filesystem::path restored;
};

/// The files of the benchmark, all in one folder.
struct Places {
  std::filesystem::path folder;
  std::string nerve_db;
  std::string nerve_db_before;  ///< empty where there is none

  std::filesystem::path database() const { return folder / "sample.db"; }
  std::filesystem::path key_file() const { return folder / "key"; }
  std::filesystem::path copy() const { return folder / "copy.db"; }
  /// Where nerve-db remembers what it has seen of repositories.
  std::filesystem::path state() const { return folder / "state"; }
};

/// cp, then a sync of the copy.
Contestant cp_and_fsync(const Places& places);
/// What others make copies with: sqlite3 (.backup, VACUUM INTO), restic and borg as far as they are
/// installed. The environment variables that these need are set.
std::vector<Contestant> peers(const Places& places);

struct NerveForm {
  bool is_checked =
      true;  ///< by PRAGMA quick_check: the database by the backup, or else the file by the restore
  bool is_encrypted = true;
  bool is_before = false;  ///< by the program that ours is compared with, in a repository of its own
};
Contestant nerve_db(const Places& places, NerveForm form);

/// The bytes of a file, or of all files in a folder; 0 where there is nothing.
std::uint64_t stored_bytes(const std::filesystem::path& path);

}  // namespace nerve::bench
