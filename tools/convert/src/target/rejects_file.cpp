// SPDX-License-Identifier: Apache-2.0
#include "target/rejects_file.h"

#include "nerve/core/update_file.h"

#include <string_view>

namespace nerve::convert {

std::int64_t write_rejects(const std::filesystem::path& file, const Ledger& ledger,
                           postgresql::Session& session) {
  std::int64_t lines = 0;
  write_file(file, {.hint = "Name a file in a folder that you may write."}, [&](const FileSink& sink) {
    ledger.each_reject(session, [&](std::string_view line) {
      sink(line);
      sink("\n");
      ++lines;
    });
  });
  return lines;
}

}  // namespace nerve::convert
