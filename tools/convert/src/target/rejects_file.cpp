// SPDX-License-Identifier: Apache-2.0
#include "target/rejects_file.h"

#include "nerve/core/update_file.h"

#include <optional>
#include <string>

namespace nerve::convert {

std::int64_t write_rejects(const std::filesystem::path& file, const Ledger& ledger,
                           postgresql::Session& session) {
  std::string text;
  std::int64_t lines = 0;
  ledger.each_reject(session, [&](std::string_view line) {
    text.append(line).append("\n");
    ++lines;
  });
  update_file(file, {.size_bytes_max = text.size(), .hint = "Name a file in a folder that you may write."},
              [&](const std::optional<std::string>&) { return text; });
  return lines;
}

}  // namespace nerve::convert
