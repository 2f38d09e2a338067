// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace nerve {

struct FileUpdate {
  static constexpr std::size_t size_bytes_max_default = 4 * 1024 * 1024;

  mode_t mode = 0600;  ///< of the new file, whatever the umask says
  std::size_t size_bytes_max = size_bytes_max_default;
  std::string hint = {};  ///< of the errors: what to do where the file cannot be written
};

/// Replaces a file of text by what `change` makes of it; `change` is given nothing where there is no file.
///
/// Processes that update one file at once come one after the other, so none loses what another wrote. The new
/// text is written to `.NAME.partial` in the same folder, which is also the lock, synced and renamed: readers
/// and a crash find the old file or the new one. Text that does not change is not written.
///
/// Throws NotFoundError where the folder is missing, DeniedError, Error of kind unavailable where there is no
/// space or no lock, IntegrityError where the file is larger than it may be, CancelledError while it waits,
/// and what `change` throws; the old file then stands.
void update_file(const std::filesystem::path& path, const FileUpdate& options,
                 const std::function<std::string(const std::optional<std::string>& text)>& change);

/// Takes the next piece of a file.
using FileSink = std::function<void(std::string_view piece)>;

/// Replaces a file by what `produce` hands to its sink piece by piece, in the same way and with the same
/// errors; of the options, the size does not count.
void write_file(const std::filesystem::path& path, const FileUpdate& options,
                const std::function<void(const FileSink& sink)>& produce);

}  // namespace nerve
