// SPDX-License-Identifier: Apache-2.0
// Runs one backup or one restore in a process of its own, so that tests can cut it off:
//   fault_driver backup DATABASE REPOSITORY
//   fault_driver restore DATABASE REPOSITORY ID
#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/core/error.h"

#include <cstdio>
#include <span>
#include <string>

namespace {

int run(std::span<char*> words) {
  using namespace nerve::backups;
  const std::string command = words.size() > 3 ? words[1] : "";
  if (command == "backup") {
    const Repository repository = Repository::open_or_create(words[3]);
    create_backup(words[2], repository, {.form = Form::plain}, nerve::system_clock());
    return 0;
  }
  if (command == "restore" && words.size() == 5) {
    const Repository repository = Repository::open(words[3]);
    restore_backup(repository, repository.find(words[4]), {words[2]}, {}, nerve::system_clock());
    return 0;
  }
  std::fputs("usage: fault_driver backup|restore DATABASE REPOSITORY [ID]\n", stderr);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words, static_cast<std::size_t>(count)});
  } catch (const nerve::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
