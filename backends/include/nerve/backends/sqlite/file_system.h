// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace nerve::sqlite {

/// What a database lies on, as far as it matters to SQLite: whether locks, shared memory and the order of
/// writes can be relied on (https://www.sqlite.org/howtocorrupt.html §2).
struct FileSystem {
  enum class Kind : std::uint8_t {
    local,
    network,     ///< its locks may not reach other machines, and its shared memory never does
    user_space,  ///< FUSE of a sort that is not known to be either
  };

  Kind kind = Kind::local;
  std::string name;  ///< "ext4", "nfs4", "fuse.sshfs"; where it is not known, the number that statfs(2) gives
};

/// Judges by the magic number of statfs(2), and where that says FUSE only, by the type of the mount.
FileSystem classify_file_system(std::uint64_t magic, std::string_view mount_type);

/// Looks at what `path` lies on. Throws Error when the system does not say.
FileSystem find_file_system(const std::filesystem::path& path);

}  // namespace nerve::sqlite
