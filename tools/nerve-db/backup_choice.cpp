// SPDX-License-Identifier: Apache-2.0
#include "backup_choice.h"

namespace nerve::cli {

backups::Manifest choose_backup(const backups::Repository& repository, std::string_view id,
                                const std::optional<std::filesystem::path>& source) {
  return id == "latest" ? repository.latest(source) : repository.find(id);
}

}  // namespace nerve::cli
