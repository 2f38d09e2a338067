// SPDX-License-Identifier: Apache-2.0
#include "salvage/big_endian.h"
#include "salvage/layout.h"
#include "salvage/overlay.h"

#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

namespace nerve::backups::salvage {
namespace {

constexpr std::uint64_t journal_magic = 0xd9d505f920a163d7;
constexpr std::size_t journal_header_bytes = 28;
constexpr std::uint32_t until_end_of_file = 0xffffffff;
constexpr std::uint32_t checksum_step_bytes = 200;
constexpr std::uint32_t super_name_bytes_max = 4096;

struct JournalHeader {
  std::uint32_t records = 0;
  std::uint32_t nonce = 0;
  std::uint32_t page_count = 0;
  std::uint32_t sector_bytes = 0;
  std::uint32_t page_size_bytes = 0;
};

std::optional<JournalHeader> read_header_at(const RawFile& file, std::uint64_t offset) {
  std::array<std::byte, journal_header_bytes> bytes{};
  if (!file.read(offset, bytes) || big_endian(bytes, 0, 8) != journal_magic) return std::nullopt;
  const JournalHeader header{u32_at(bytes, 8), u32_at(bytes, 12), u32_at(bytes, 16), u32_at(bytes, 20),
                             u32_at(bytes, 24)};
  if (!is_page_size(header.page_size_bytes) || header.sector_bytes < 32 || header.sector_bytes > 65536) {
    return std::nullopt;
  }
  return header;
}

std::uint32_t checksum_of(ByteView page, std::uint32_t nonce) noexcept {
  std::uint32_t sum = nonce;
  for (std::size_t offset = page.size() - checksum_step_bytes; offset > 0;) {
    sum += u8_at(page, offset);
    if (offset <= checksum_step_bytes) break;
    offset -= checksum_step_bytes;
  }
  return sum;
}

/// A journal that names a super-journal which is gone belongs to a transaction that was committed.
bool is_committed_elsewhere(const RawFile& file) {
  std::array<std::byte, 16> tail{};
  if (file.size_bytes() < tail.size() || !file.read(file.size_bytes() - tail.size(), tail)) return false;
  const std::uint32_t length = u32_at(tail, 0);
  if (big_endian(tail, 8, 8) != journal_magic || length == 0 || length > super_name_bytes_max ||
      length + tail.size() > file.size_bytes()) {
    return false;
  }
  std::string name(length, '\0');
  if (!file.read(file.size_bytes() - tail.size() - length, std::as_writable_bytes(std::span(name)))) {
    return false;
  }
  std::error_code error;
  return name.front() == '/' && !std::filesystem::exists(name, error) && !error;
}

/// Takes the records of one segment; where the next one begins, or nothing where the journal ends.
std::optional<std::uint64_t> read_segment(Overlay& journal, const JournalHeader& header,
                                          std::uint64_t offset) {
  const std::uint64_t record_bytes = journal.page_size_bytes + 8;
  Bytes record(record_bytes);
  offset += header.sector_bytes;
  for (std::uint64_t number = 0; number < header.records || header.records == until_end_of_file; ++number) {
    throw_if_interrupted();
    if (!journal.file.read(offset, record)) return std::nullopt;
    const ByteView view(record);
    const ByteView page = view.subspan(4, journal.page_size_bytes);
    if (checksum_of(page, header.nonce) != u32_at(view, record_bytes - 4)) {
      // Where the number of records is known they had reached the disk, so this one is damaged.
      journal.has_lost = header.records != until_end_of_file;
      return std::nullopt;
    }
    journal.offsets.try_emplace(u32_at(view, 0), offset + 4);
    offset += record_bytes;
  }
  return (offset + header.sector_bytes - 1) / header.sector_bytes * header.sector_bytes;
}

}  // namespace

std::optional<Overlay> read_journal(const std::filesystem::path& path) {
  std::optional<RawFile> file = RawFile::open_if_there(path);
  if (!file) return std::nullopt;
  const std::optional<JournalHeader> first = read_header_at(*file, 0);
  if (!first || is_committed_elsewhere(*file)) return std::nullopt;
  Overlay journal{std::move(*file), {}, first->page_size_bytes, first->page_count, {}, false};
  std::optional<std::uint64_t> offset = 0;
  while (offset) {
    const std::optional<JournalHeader> header = read_header_at(journal.file, *offset);
    // A segment without records was never synced, so nothing of it has reached the main file.
    if (!header || header->records == 0) break;
    offset = read_segment(journal, *header, *offset);
  }
  if (journal.offsets.empty() && !journal.has_lost) return std::nullopt;
  journal.note = fmt::format(
      "{} is of a transaction that did not end: the state before it was read, with {} pages from the "
      "journal{}",
      journal.file.path().filename().string(), journal.offsets.size(),
      journal.has_lost ? " until a damaged record of it" : "");
  return journal;
}

}  // namespace nerve::backups::salvage
