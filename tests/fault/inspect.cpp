// SPDX-License-Identifier: Apache-2.0
#include "fault/inspect.h"

#include "nerve/backups/repository.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>

#include <cstdio>

namespace nerve::test {

void inspect(const std::filesystem::path& repository, const std::filesystem::path& scratch,
             const backups::BackupKey* key) {
  using namespace nerve::backups;
  const Repository opened = Repository::open(repository);
  for (const std::string& problem : opened.catalogue_problems()) fmt::print("problem {}\n", problem);
  for (const VerifyReport& report : verify_all(opened, {.key = key})) {
    for (const std::string& problem : report.problems) fmt::print("problem {}: {}\n", report.id, problem);
  }
  for (const Entry& entry : opened.list()) {
    if (!entry.manifest) continue;
    const std::filesystem::path file = scratch / entry.name;
    try {
      restore_backup(opened, *entry.manifest, {file, RestoreTarget::Mode::new_file}, {.key = key},
                     system_clock());
      fmt::print("state {} {}\n", entry.name, to_hex(crypto::sha256_file(file)));
    } catch (const Error& error) {
      fmt::print("problem {} cannot be restored: {}\n", entry.name, error.what());
    }
    std::filesystem::remove(file);
  }
}

}  // namespace nerve::test
