// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::health {

/// What a run saw of one database.
struct SeenSize {
  std::uint64_t size_bytes = 0;
  Timestamp seen_at;
};

/// The file that carries what one run saw to the next:
/// {"nerve_health_state": 1, "targets": {TARGET: {"size_bytes", "seen_at"}}}.
///
/// It is replaced as a whole (mode 0600), so readers never see half of it; of two runs at once the later
/// writer wins.
class StateFile {
 public:
  static constexpr std::uintmax_t size_max = 4 * 1024 * 1024;
  /// The targets that are kept; beyond it those that were not seen for longest are dropped.
  static constexpr std::size_t targets_max = 1'000;

  explicit StateFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// Absent where there is no file, or nothing of `target` in it. Throws ValidationError for a file that is
  /// something else, and DeniedError.
  std::optional<SeenSize> find(std::string_view target) const;

  /// Keeps it for the next run. Throws ValidationError rather than replace a file that is something else,
  /// DeniedError, and Error of kind unavailable when it cannot be written.
  void keep(std::string_view target, const SeenSize& seen) const;

 private:
  std::filesystem::path file_;
};

}  // namespace nerve::health
