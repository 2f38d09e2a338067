// SPDX-License-Identifier: Apache-2.0
#include "source/source_damage.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>

namespace nerve::convert {

std::vector<std::string> require_sound(sqlite::Session& session, ProgressSink* progress) {
  sqlite::Damage damage = sqlite::lenient_integrity_check(session, progress);
  if (damage.is_found())
    throw_damaged(session.path(), true,
                  fmt::format("{} is damaged: {}", session.path().string(), damage.describe()));
  return std::move(damage.unchecked);
}

void throw_damaged(const std::filesystem::path& source, bool is_checked, const std::string& message) {
  const std::string file = shell_word(source.string());
  throw IntegrityError(
      message,
      fmt::format(
          "Look what is damaged with nerve-db health --deep --db {0}, and convert what is left: nerve-db "
          "salvage --db {0} --to NEW{1}",
          file,
          is_checked ? ". With --no-check the tables that SQLite can read are converted, and the others told."
                     : ""));
}

}  // namespace nerve::convert
