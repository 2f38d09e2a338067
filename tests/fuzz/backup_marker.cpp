// SPDX-License-Identifier: Apache-2.0
// The marker of a repository, which is read before anything else of it.
#include "fuzz/bounded_call.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/scratch_folder.h"
#include "layout.h"

#include "nerve/backups/repository.h"
#include "nerve/core/json.h"

#include <nlohmann/json.hpp>

namespace nerve::fuzz {
namespace {

using backups::Repository;

constexpr std::size_t memory_bytes_max = std::size_t{4} << 20U;

bool opens(const std::filesystem::path& folder) {
  return bounded_call(memory_bytes_max, [&] { Repository::open(folder); });
}

}  // namespace

std::vector<std::string> fuzz_corpus() {
  return {"{\"format\": 1}\n",
          R"({"format": 2, "since": "2026-05-01"})",
          R"({"format": 1e0})",
          R"({"format": [1, {}]})",
          R"({"format": 18446744073709551615})",
          R"({"format": 1.0, "a": "\u00fc"})",
          "[1]",
          "",
          "null"};
}

void fuzz_one(std::string_view input) {
  static const std::filesystem::path folder = make_folder("repository");
  put_file(folder / backups::marker_file_name, input);
  const bool is_open = opens(folder);
  if (is_open) {
    const Json marker = Json::parse(input, nullptr, false);
    require(marker.is_object() && marker.contains("format") && marker["format"] == 1,
            "a repository opens where its marker names the format");
  }
  const bool is_created = bounded_call(memory_bytes_max, [&] { Repository::open_or_create(folder); });
  require(is_created == is_open, "what does not open is not made anew");
  const bool is_repaired = bounded_call(memory_bytes_max, [&] { Repository::repair(folder); });
  require(!is_repaired || opens(folder), "what was repaired opens");
}

}  // namespace nerve::fuzz
