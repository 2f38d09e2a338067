// SPDX-License-Identifier: Apache-2.0
#include "snapshot/page_sink.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace nerve::backups {
namespace {

struct Range {
  std::size_t begin;
  std::size_t end;
};

/// What the backup API leaves of page 1: all but the change counter (24 to 27) and the page count (28 to 31),
/// the schema cookie (40 to 43), and the numbers of who wrote last (92 to 99).
/// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::array<Range, 3> kept = {Range{0, 24}, Range{32, 40}, Range{44, 92}};
constexpr std::size_t database_header_bytes = 100;

}  // namespace

PageSink::PageSink(const SnapshotShape& shape, ByteView first_page, const TakePage& take,
                   const std::filesystem::path& path)
    : shape_(shape), first_page_(first_page), take_(take), path_(path) {}

void PageSink::write(ByteView bytes, std::uint64_t offset) {
  const std::uint64_t number = offset / shape_.page_size_bytes + 1;
  require(offset % shape_.page_size_bytes == 0 && bytes.size() == shape_.page_size_bytes, number,
          "with another size");
  require(number <= shape_.page_count, number, "behind the last");
  size_bytes_ = std::max(size_bytes_, offset + bytes.size());
  hand_over_undelivered();
  if (number == 1) return compare_first_page(bytes);
  require(number == due_, number, "out of order");
  hand_over(bytes);
}

void PageSink::finish() {
  hand_over_undelivered();
  require(is_first_page_compared_, 1, "not at all");
  require(due_ > shape_.page_count, due_, "not at all");
}

void PageSink::require(bool is_as_expected, std::uint64_t number, const char* defect) const {
  if (is_as_expected) return;
  throw Error(ErrorKind::failure,
              fmt::format("sqlite handed over page {} of {} {}", number, path_.string(), defect));
}

void PageSink::compare_first_page(ByteView rewritten) {
  require(!is_first_page_compared_, 1, "twice");
  is_first_page_compared_ = true;
  const auto is_kept = [&](Range range) {
    const std::size_t size = range.end - range.begin;
    return std::ranges::equal(rewritten.subspan(range.begin, size), first_page_.subspan(range.begin, size));
  };
  require(std::ranges::all_of(kept, is_kept) && is_kept({database_header_bytes, rewritten.size()}), 1,
          "other than it was read");
}

void PageSink::hand_over_undelivered() {
  if (due_ == 1) hand_over(first_page_);
  if (due_ == shape_.lock_page() && due_ <= shape_.page_count) hand_over(Bytes(shape_.page_size_bytes));
}

void PageSink::hand_over(ByteView page) {
  throw_if_interrupted();
  take_(static_cast<std::uint32_t>(due_), page);
  ++due_;
}

}  // namespace nerve::backups
