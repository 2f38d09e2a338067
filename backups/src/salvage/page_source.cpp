// SPDX-License-Identifier: Apache-2.0
#include "salvage/page_source.h"

#include "salvage/record.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace nerve::backups::salvage {
namespace {

/// SQLite locks bytes from here on, so the page that holds them is left unused.
constexpr std::uint32_t lock_bytes_offset = 0x40000000;
constexpr std::uint32_t sampled_text_pages_max = 256;

/// How many texts look like those of each encoding.
struct EncodingVotes {
  std::uint64_t utf8 = 0;
  std::uint64_t little_endian = 0;
  std::uint64_t big_endian = 0;
};

/// Of most text in UTF-16 every second byte is zero; in UTF-8 none is.
void count_votes(ByteView text, EncodingVotes& votes) {
  std::array<std::size_t, 2> zeros{};
  for (std::size_t place = 0; place < text.size(); ++place) {
    if (text[place] == std::byte{0}) ++zeros[place % 2];
  }
  const std::size_t half = text.size() / 2;
  if (text.size() < 2) return;
  if (zeros[0] + zeros[1] == 0) {
    ++votes.utf8;
  } else if (text.size() % 2 == 0 && zeros[1] == half && zeros[0] == 0) {
    ++votes.little_endian;
  } else if (text.size() % 2 == 0 && zeros[0] == half && zeros[1] == 0) {
    ++votes.big_endian;
  }
}

}  // namespace

PageSource::PageSource(const std::filesystem::path& path) : file_(path) {
  take_overlay(read_journal(sqlite::companion(path, "-journal")));
  take_overlay(read_wal(sqlite::companion(path, "-wal")));
  find_layout();
  // What has pages of another size is of another database.
  std::erase_if(overlays_, [&](const Overlay& overlay) {
    if (overlay.page_size_bytes == layout_.page_size_bytes) return false;
    notes_.push_back(fmt::format("{} is of a database with another page size, so it was left aside",
                                 overlay.file.path().filename().string()));
    return true;
  });
  for (const Overlay& overlay : overlays_) {
    notes_.push_back(overlay.note);
    has_lost_transactions_ = has_lost_transactions_ || overlay.has_lost;
  }
  count_pages();
  if (!layout_.is_encoding_sure) find_encoding();
}

void PageSource::take_overlay(std::optional<Overlay> overlay) {
  if (!overlay) return;
  if (overlay->offsets.empty()) {
    notes_.push_back(overlay->note);
    has_lost_transactions_ = has_lost_transactions_ || overlay->has_lost;
    return;
  }
  overlays_.insert(overlays_.begin(), std::move(*overlay));
}

void PageSource::find_layout() {
  std::array<std::byte, database_header_bytes> header{};
  for (const Overlay& overlay : overlays_) {
    const auto place = overlay.offsets.find(1);
    if (place == overlay.offsets.end() || !overlay.file.read(place->second, header)) continue;
    const std::optional<Layout> found = layout_from_header(header);
    if (found && found->page_size_bytes == overlay.page_size_bytes) {
      layout_ = *found;
      return;
    }
  }
  std::optional<Layout> stated;
  if (file_.read(0, header)) stated = layout_from_header(header);
  const int fitting = stated ? count_tree_pages(file_, stated->page_size_bytes, stated->usable_bytes) : 0;
  // Of a database of a few pages none may be sound; then its header is all there is to go by.
  if (stated && fitting > 0) {
    layout_ = *stated;
    return;
  }
  const std::optional<Layout> guessed = guess_layout(file_);
  if (!guessed && !stated) {
    throw IntegrityError(
        fmt::format("nothing in {} looks like a page of an SQLite database", file_.path().string()),
        "It may be encrypted (SQLCipher and others), or no database at all.");
  }
  layout_ = guessed ? *guessed : *stated;
  if (guessed) {
    notes_.push_back(fmt::format("the header is damaged: pages of {} bytes were found by their form",
                                 layout_.page_size_bytes));
  }
}

void PageSource::count_pages() {
  constexpr std::uint64_t numbers_max = std::numeric_limits<std::uint32_t>::max() - 1;
  const std::uint64_t whole_pages = file_.size_bytes() / layout_.page_size_bytes;
  page_count_ = static_cast<std::uint32_t>(std::min(whole_pages, numbers_max));
  expected_page_count_ = std::max(page_count_, layout_.page_count);
  if (!overlays_.empty() && overlays_.front().page_count != 0) {
    expected_page_count_ = overlays_.front().page_count;
    // Pages behind the end of that state are what an earlier one has left.
    page_count_ = std::min(page_count_, expected_page_count_);
    for (const Overlay& overlay : overlays_) {
      for (const auto& [number, offset] : overlay.offsets) {
        if (number <= expected_page_count_) page_count_ = std::max(page_count_, number);
      }
    }
  }
  if (page_count_ < expected_page_count_) {
    notes_.push_back(
        fmt::format("the file is cut off: {} of {} pages are there", page_count_, expected_page_count_));
  } else if (overlays_.empty() && file_.size_bytes() % layout_.page_size_bytes != 0) {
    notes_.emplace_back("the file does not end with a whole page");
  }
}

void PageSource::find_encoding() {
  EncodingVotes votes;
  Bytes page;
  const std::uint32_t last = std::min(page_count_, sampled_text_pages_max);
  for (std::uint32_t number = 1; number <= last; ++number) {
    if (!read(number, page)) continue;
    const std::optional<TreePage> tree_page = recognise_tree_page(page, bounds(number));
    if (!tree_page || !tree_page->is_leaf) continue;
    for (const Cell& cell : tree_page->cells) {
      const auto record = read_record(ByteView(page).subspan(cell.local_offset, cell.local_bytes));
      if (!record) continue;
      for (const Value& value : *record) {
        if (value.type == sqlite::StorageClass::text) count_votes(value.octets, votes);
      }
    }
  }
  using sqlite::TextEncoding;
  const bool is_wide = std::max(votes.little_endian, votes.big_endian) > votes.utf8;
  layout_.encoding = !is_wide                                 ? TextEncoding::utf8
                     : votes.little_endian > votes.big_endian ? TextEncoding::utf16_little_endian
                                                              : TextEncoding::utf16_big_endian;
}

std::uint32_t PageSource::lock_page() const noexcept {
  return lock_bytes_offset / layout_.page_size_bytes + 1;
}

bool PageSource::read(std::uint32_t number, Bytes& page) const {
  if (!is_page(number)) return false;
  page.resize(layout_.page_size_bytes);
  for (const Overlay& overlay : overlays_) {
    const auto place = overlay.offsets.find(number);
    // What the main file holds of it is older.
    if (place != overlay.offsets.end()) return overlay.file.read(place->second, page);
  }
  return file_.read(std::uint64_t{number - 1} * layout_.page_size_bytes, page);
}

}  // namespace nerve::backups::salvage
