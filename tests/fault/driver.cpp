// SPDX-License-Identifier: Apache-2.0
// Runs one command of backups in a process of its own, so that tests can cut it off:
//   fault_driver backup DATABASE REPOSITORY plain|container KEY-FILE
//   fault_driver restore DATABASE REPOSITORY ID in-place|new-file KEY-FILE
//   fault_driver verify REPOSITORY ID SCRATCH-FOLDER KEY-FILE
//   fault_driver prune REPOSITORY KEEP-LAST KEY-FILE
//   fault_driver consolidate REPOSITORY ID KEY-FILE
//   fault_driver replicate DATABASE FROM-REPOSITORY TO-REPOSITORY KEY-FILE
//   fault_driver set CORE-DATABASE SECURE-DATABASE REPOSITORY KEY-FILE
//   fault_driver inspect REPOSITORY SCRATCH-FOLDER KEY-FILE
//   fault_driver work DATABASE REPOSITORY KEY-FILE
// KEY-FILE is "-" where nothing is encrypted; of a set it is that of the secure one. A verification prints
// the digest of the content; where it finds problems, it prints these and ends with 3. Of inspect.h and
// workload.h is what the last two print.
#include "fault/inspect.h"
#include "fault/workload.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/backup_set.h"
#include "nerve/backups/consolidation.h"
#include "nerve/backups/replication.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace nerve::backups;
using Words = std::vector<std::string>;

int back_up(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open_or_create(words[2]);
  BackupOptions options;
  options.form = words[3] == "plain" ? Form::plain : Form::automatic;
  options.key = key;
  create_backup(words[1], repository, options, nerve::system_clock());
  return 0;
}

int restore(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[2]);
  const auto mode = words[4] == "in-place" ? RestoreTarget::Mode::in_place : RestoreTarget::Mode::new_file;
  restore_backup(repository, repository.find(words[3]), {words[1], mode}, {.key = key},
                 nerve::system_clock());
  return 0;
}

int verify(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[1]);
  const VerifyReport report =
      verify_backup(repository, repository.find(words[2]), {.deep = true, .key = key, .scratch = words[3]});
  for (const std::string& problem : report.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!report.ok()) return 3;
  std::puts(report.content_sha256.c_str());
  return 0;
}

int prune_to_last(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[1]);
  prune(repository, {.policy = {.last = std::stoi(words[2])}, .key = key}, nerve::system_clock());
  return 0;
}

int consolidate(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open(words[1]);
  consolidate_backup(repository, repository.find(words[2]), key, nerve::system_clock());
  return 0;
}

int replicate(const Words& words, const BackupKey* key) {
  const Repository to = Repository::open_or_create(words[3]);
  replicate_backups(Repository::open(words[2]), to, words[1], key, nerve::system_clock());
  return 0;
}

int back_up_set(const Words& words, const BackupKey* key) {
  const Repository repository = Repository::open_or_create(words[3]);
  const SetBackup made = create_backup_set({{words[1], "core", {}}, {words[2], "secure", {.key = key}}},
                                           repository, nerve::system_clock());
  if (!made.failures.empty()) throw nerve::Error(made.failures.front());
  return 0;
}

int inspect(const Words& words, const BackupKey* key) {
  nerve::test::inspect(words[1], words[2], key);
  return 0;
}

int work(const Words& words, const BackupKey* key) {
  nerve::test::work(words[1], words[2], key);
  return 0;
}

struct Verb {
  std::string_view name;
  std::size_t words;  ///< with its name
  int (*run)(const Words&, const BackupKey*);
};

constexpr std::array<Verb, 9> verbs = {{
    {"backup", 5, back_up},
    {"restore", 6, restore},
    {"verify", 5, verify},
    {"prune", 4, prune_to_last},
    {"consolidate", 4, consolidate},
    {"replicate", 5, replicate},
    {"set", 5, back_up_set},
    {"inspect", 4, inspect},
    {"work", 4, work},
}};

int run(const Words& words) {
  const auto* const verb = std::ranges::find_if(verbs, [&](const Verb& one) {
    return !words.empty() && words.front() == one.name && words.size() == one.words;
  });
  if (verb == verbs.end()) {
    std::fputs("usage: fault_driver VERB ARGUMENT...\n", stderr);
    return 2;
  }
  std::optional<BackupKey> key;
  if (words.back() != "-") key.emplace(BackupKey::from_file(words.back()));
  return verb->run(words, key ? &*key : nullptr);
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
