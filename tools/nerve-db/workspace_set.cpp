// SPDX-License-Identifier: Apache-2.0
#include "workspace_set.h"

#include "backup_stores.h"

#include "nerve/core/error.h"
#include "nerve/store.h"

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

constexpr std::size_t passed_over_shown = 5;

}  // namespace

std::optional<backups::LatestSet> latest_set_of_workspace(Context& context,
                                                          const backups::Repository& repository,
                                                          const std::optional<Timestamp>& until) {
  std::vector<std::filesystem::path> files;
  for (const Store store : every_store) {
    const auto file = store_file(context, store);
    if (!file) return std::nullopt;
    files.push_back(*file);
  }
  auto set = backups::latest_set(repository, files, until);
  // A folder with settings and a core store alone is a workspace, too.
  if (!set && context.config().has("workspace.id")) {
    throw NotFoundError(
        fmt::format("there is no whole set of backups of both stores in {}", repository.path().string()),
        "Name one store alone with --db; see what there is with 'nerve-db backup list'.");
  }
  return set;
}

std::vector<std::string> notes_of(std::vector<std::string> passed_over) {
  if (passed_over.size() <= passed_over_shown) return passed_over;
  const std::size_t more = passed_over.size() - passed_over_shown;
  passed_over.resize(passed_over_shown);
  passed_over.push_back(fmt::format("{} other newer backups are passed over, too", more));
  return passed_over;
}

}  // namespace nerve::cli
