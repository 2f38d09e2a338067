// SPDX-License-Identifier: Apache-2.0
#include "target/rejects_file.h"

#include "nerve/core/error.h"
#include "nerve/core/update_file.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

namespace nerve::convert {
namespace {

/// How each line begins that reject_line() makes.
constexpr std::string_view line_begin = R"({"table":)";

/// Whether a file is empty or was written by an earlier run.
bool is_rejects_file(const std::filesystem::path& file) {
  std::string begin(line_begin.size(), '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return stream.gcount() == 0 ? !stream.bad() && std::filesystem::file_size(file) == 0 : begin == line_begin;
}

}  // namespace

void require_rejects_place(const std::filesystem::path& file) {
  if (file.empty()) return;
  namespace fs = std::filesystem;
  const fs::path folder = fs::absolute(file).parent_path();
  if (!fs::is_directory(folder)) {
    throw NotFoundError("there is no folder " + folder.string() + " for the rejects file",
                        "Make the folder, or name a file in another one.");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw DeniedError("the folder " + folder.string() + " may not be written",
                      "Name a rejects file in a folder that you may write.");
  }
  if (!fs::exists(fs::symlink_status(file))) return;
  if (fs::is_regular_file(file) && is_rejects_file(file)) return;
  throw ConflictError(file.string() + " is there already, and is no rejects file",
                      "Name a file for the rejects that is not there.");
}

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
