// SPDX-License-Identifier: Apache-2.0
#include "read_back.h"

#include "shared_work.h"

#include "nerve/core/interrupt.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;
constexpr std::string_view phase = "comparing";

}  // namespace

void compare_with_state(const Descriptor& file, const std::filesystem::path& path, const Chain& chain,
                        const PageState& state, ProgressSink* progress) {
  const std::size_t page_bytes = chain.page_size_bytes();
  const auto block_pages = static_cast<std::uint32_t>(block_bytes / page_bytes);
  require_size(file, path, chain.size_bytes());
  drop_from_cache(file);
  const DoWork compare = [&](WorkUnits& units) {
    GroupCodec codec(chain.last().header(), chain.last().keys());
    std::vector<PageHash> hashes;
    Bytes block(block_bytes);
    while (const auto unit = units.next()) {
      const std::uint64_t first = std::uint64_t{*unit} * block_pages + 1;
      state.read(static_cast<std::uint32_t>(first), block_pages, hashes);
      const std::span<std::byte> pages = std::span(block).first(hashes.size() * page_bytes);
      read_at(file, pages, static_cast<::off_t>((first - 1) * page_bytes), path);
      for (std::size_t index = 0; index < hashes.size(); ++index) {
        if (codec.hash_of(pages.subspan(index * page_bytes, page_bytes)) == hashes[index]) continue;
        throw NotKeptError(fmt::format("page {} of {}", first + index, path.string()));
      }
      units.add_bytes(pages.size());
    }
  };
  const std::size_t blocks = (std::size_t{chain.page_count()} + block_pages - 1) / block_pages;
  share_work(blocks, compare, [&](std::uint64_t bytes) {
    if (progress != nullptr) progress->update(phase, bytes, chain.size_bytes());
  });
}

void compare_with_sha256(const Descriptor& file, const std::filesystem::path& path, const std::string& sha256,
                         ProgressSink* progress) {
  const std::uint64_t size_bytes = size_of(file, path);
  drop_from_cache(file);
  crypto::Sha256 hash;
  Bytes block(block_bytes);
  for (std::uint64_t offset = 0; offset < size_bytes; offset += block_bytes) {
    throw_if_interrupted();
    const std::span<std::byte> part = std::span(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, size_bytes - offset)));
    read_at(file, part, static_cast<::off_t>(offset), path);
    hash.update(part);
    if (progress != nullptr) progress->update(phase, offset + part.size(), size_bytes);
  }
  if (to_hex(hash.finish()) != sha256) throw NotKeptError(path.string());
}

}  // namespace nerve::backups
