// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"
#include "target_state.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::backups {

/// The file `.NAME.nerve-restore` beside a database, which takes the database's place when it is whole: a
/// restored one or a salvaged one.
/// Locked while it lives, and removed by the destructor unless it took that place.
class StagedFile {
 public:
  /// Removes what a dead process left under that name. Throws ConflictError while another one is at work.
  explicit StagedFile(const std::filesystem::path& target);
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile();

  const Descriptor& file() const noexcept { return file_; }
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Gives it owner, group and mode of the file that it will replace. Where the owner cannot be kept, says
  /// so.
  std::optional<std::string> take_ownership_of(const TargetState& replaced);

  /// Takes away of its mode, 0600, what `mode` ("0640", or empty where it is not known) does not grant its
  /// owner.
  void narrow_to(std::string_view mode);

  /// Takes the place of the target and syncs the folder. Without `may_replace`, throws ConflictError when
  /// something stands there.
  void put_in_place(bool may_replace);

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  Descriptor file_;
  bool is_in_place_ = false;
};

}  // namespace nerve::backups
