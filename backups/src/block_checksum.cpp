// SPDX-License-Identifier: Apache-2.0
#include "block_checksum.h"

#include <cstddef>
#include <cstring>

namespace nerve::backups {

BlockChecksum::BlockChecksum(ByteView bytes) noexcept : size_bytes_(bytes.size()) {
  using Words = std::array<std::uint64_t, lanes>;
  // Copies of the sums can stay in registers.
  Words sums{};
  Words sums_of_sums{};
  const auto add = [&](const Words& words) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      sums[lane] += words[lane];
      sums_of_sums[lane] += sums[lane];
    }
  };
  Words words{};
  std::size_t done = 0;
  for (; done + sizeof words <= bytes.size(); done += sizeof words) {
    std::memcpy(words.data(), bytes.data() + done, sizeof words);
    add(words);
  }
  if (done < bytes.size()) {
    words = {};
    std::memcpy(words.data(), bytes.data() + done, bytes.size() - done);
    add(words);
  }
  sums_ = sums;
  sums_of_sums_ = sums_of_sums;
}

}  // namespace nerve::backups
