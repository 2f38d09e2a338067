// SPDX-License-Identifier: Apache-2.0
#include "sqlite/remedies.h"

#include "nerve/core/shell.h"

namespace nerve::sqlite {

std::string restore_hint(const std::filesystem::path& database) {
  return "Restore the database from a backup: nerve-db restore latest --db " + shell_word(database.string());
}

std::string recovery_hint(const std::filesystem::path& database) {
  return "Let it be undone, as a user who may write the file and its folder: nerve-db optimize --apply "
         "--db " +
         shell_word(database.string());
}

}  // namespace nerve::sqlite
