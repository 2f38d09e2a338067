// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace nerve::sqlite {

/// Room on the device that holds a path.
struct DeviceSpace {
  std::uint64_t free_bytes = 0;  ///< for this user
  std::uint64_t total_bytes = 0;
};

/// Throws Error where the system does not tell.
DeviceSpace measure_device(const std::filesystem::path& path);

}  // namespace nerve::sqlite
