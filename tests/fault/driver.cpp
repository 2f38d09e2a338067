// SPDX-License-Identifier: Apache-2.0
// Runs one backup, restore or verification in a process of its own, so that tests can cut it off:
//   fault_driver backup DATABASE REPOSITORY plain|container KEY-FILE
//   fault_driver restore DATABASE REPOSITORY ID in-place|new-file KEY-FILE
//   fault_driver verify REPOSITORY ID SCRATCH-FOLDER KEY-FILE
// KEY-FILE is "-" where nothing is encrypted. A verification prints the digest of the content; where it finds
// problems, it prints these and ends with 3.
#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace nerve::backups;

void back_up(const std::vector<std::string>& words, const BackupKey* key) {
  const Repository repository = Repository::open_or_create(words[2]);
  BackupOptions options;
  options.form = words[3] == "plain" ? Form::plain : Form::automatic;
  options.key = key;
  create_backup(words[1], repository, options, nerve::system_clock());
}

void restore(const std::vector<std::string>& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[2]);
  const auto mode = words[4] == "in-place" ? RestoreTarget::Mode::in_place : RestoreTarget::Mode::new_file;
  restore_backup(repository, repository.find(words[3]), {words[1], mode}, {.key = key},
                 nerve::system_clock());
}

int verify(const std::vector<std::string>& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[1]);
  const VerifyReport report =
      verify_backup(repository, repository.find(words[2]), {.deep = true, .key = key, .scratch = words[3]});
  for (const std::string& problem : report.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!report.ok()) return 3;
  std::puts(report.content_sha256.c_str());
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words.front();
  const bool is_verify = command == "verify";
  const bool is_restore = command == "restore";
  if ((!is_verify && !is_restore && command != "backup") || words.size() != (is_restore ? 6U : 5U)) {
    std::fputs("usage: fault_driver backup|restore|verify ARGUMENT...\n", stderr);
    return 2;
  }
  std::optional<BackupKey> key;
  if (words.back() != "-") key.emplace(BackupKey::from_file(words.back()));
  const BackupKey* borrowed = key ? &*key : nullptr;
  if (is_verify) return verify(words, borrowed);
  if (is_restore) {
    restore(words, borrowed);
  } else {
    back_up(words, borrowed);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const nerve::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
