// SPDX-License-Identifier: Apache-2.0
#include "salvage/big_endian.h"
#include "salvage/layout.h"
#include "salvage/overlay.h"

#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <vector>

namespace nerve::backups::salvage {
namespace {

constexpr std::size_t wal_header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t wal_magic = 0x377f0682;  // its lowest bit says that checksums read big-endian words

struct WalSums {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend bool operator==(const WalSums&, const WalSums&) = default;
};

/// Goes on with the checksum over `bytes`, whose size is a multiple of 8.
WalSums sum_words(ByteView bytes, bool is_big_endian, WalSums sums) noexcept {
  const auto word = [&](std::size_t offset) {
    const std::uint32_t value = u32_at(bytes, offset);
    return is_big_endian ? value : __builtin_bswap32(value);
  };
  for (std::size_t offset = 0; offset + 8 <= bytes.size(); offset += 8) {
    sums.first += word(offset) + sums.second;
    sums.second += word(offset + 4) + sums.first;
  }
  return sums;
}

/// Reads the frames one after the other.
class WalReader {
 public:
  explicit WalReader(const RawFile& file) : file_(file) {}

  bool read_header() {
    std::array<std::byte, wal_header_bytes> header{};
    if (!file_.read(0, header)) return false;
    const std::uint32_t magic = u32_at(header, 0);
    page_size_bytes_ = u32_at(header, 8);
    if ((magic & ~1U) != wal_magic || !is_page_size(page_size_bytes_)) return false;
    is_big_endian_ = (magic & 1U) != 0;
    salts_ = big_endian(header, 16, 8);
    sums_ = sum_words(ByteView(header).first(24), is_big_endian_, {});
    frame_.resize(frame_header_bytes + page_size_bytes_);
    return sums_ == WalSums{u32_at(header, 24), u32_at(header, 28)};
  }

  /// The next frame, in frame(); false at the end of the file.
  bool next() {
    const std::uint64_t offset = wal_header_bytes + frames_ * frame_.size();
    if (!file_.read(offset, frame_)) return false;
    page_offset_ = offset + frame_header_bytes;
    ++frames_;
    return true;
  }

  bool has_salts() const noexcept { return big_endian(frame_, 8, 8) == salts_; }
  bool is_sound() {
    const ByteView view(frame_);
    const WalSums sums = sum_words(view.subspan(frame_header_bytes), is_big_endian_,
                                   sum_words(view.first(8), is_big_endian_, sums_));
    if (!has_salts() || sums != WalSums{u32_at(view, 16), u32_at(view, 20)}) return false;
    sums_ = sums;
    return true;
  }

  std::uint32_t page_number() const noexcept { return u32_at(frame_, 0); }
  /// Of the database after the commit that this frame ends; 0 where it ends none.
  std::uint32_t page_count() const noexcept { return u32_at(frame_, 4); }
  std::uint64_t page_offset() const noexcept { return page_offset_; }
  std::uint32_t page_size_bytes() const noexcept { return page_size_bytes_; }

 private:
  const RawFile& file_;
  std::uint32_t page_size_bytes_ = 0;
  std::uint64_t salts_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t page_offset_ = 0;
  WalSums sums_;
  bool is_big_endian_ = false;
  Bytes frame_;
};

}  // namespace

std::optional<Overlay> read_wal(const std::filesystem::path& path) {
  std::optional<RawFile> file = RawFile::open_if_there(path);
  if (!file || file->size_bytes() == 0) return std::nullopt;
  Overlay wal{std::move(*file), {}, 0, 0, {}, false};
  WalReader reader(wal.file);
  if (!reader.read_header()) {
    wal.note = fmt::format("the header of {} is damaged, so nothing was read from it",
                           wal.file.path().filename().string());
    wal.has_lost = true;
    return wal;
  }
  wal.page_size_bytes = reader.page_size_bytes();
  std::vector<std::pair<std::uint32_t, std::uint64_t>> pending;
  while (reader.next() && reader.is_sound()) {
    throw_if_interrupted();
    pending.emplace_back(reader.page_number(), reader.page_offset());
    if (reader.page_count() == 0) continue;
    for (const auto& [number, offset] : pending) wal.offsets[number] = offset;
    pending.clear();
    wal.page_count = reader.page_count();
  }
  while (!wal.has_lost && reader.next()) {
    throw_if_interrupted();
    wal.has_lost = reader.has_salts() && reader.page_count() != 0;
  }
  if (wal.offsets.empty() && !wal.has_lost) return std::nullopt;
  wal.note =
      fmt::format("{} pages were read from {}{}", wal.offsets.size(), wal.file.path().filename().string(),
                  wal.has_lost ? ", whose later transactions are lost behind a damaged frame" : "");
  return wal;
}

}  // namespace nerve::backups::salvage
