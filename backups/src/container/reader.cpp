// SPDX-License-Identifier: Apache-2.0
#include "reader.h"

#include "../repository_file.h"
#include "fields.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace nerve::backups {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view part, std::string_view reason) {
  throw IntegrityError(fmt::format("{}: the {} of the backup is damaged: {}", path.string(), part, reason));
}

Bytes read_part(const Descriptor& file, std::uint64_t offset, std::size_t size,
                const std::filesystem::path& path) {
  Bytes bytes(size);
  read_at(file, bytes, static_cast<::off_t>(offset), path);
  return bytes;
}

Bytes read_head(const Descriptor& file, const std::filesystem::path& path) {
  if (size_of(file, path) < header_bytes + trailer_bytes)
    refuse(path, "file", "it is too short; it was cut off or never finished");
  return read_part(file, 0, header_bytes, path);
}

void require_seal(ByteView stored, const crypto::Sha256Digest& seal, const std::filesystem::path& path,
                  std::string_view part) {
  if (!equal_constant_time(stored, seal)) refuse(path, part, "it was altered");
}

std::uint64_t stored_record_bytes(std::uint64_t content_bytes, bool is_encrypted) {
  return frame_head_bytes + content_bytes + (is_encrypted ? crypto::Aes256Gcm::tag_bytes : 0);
}

/// What Zstandard may make of incompressible pages (ZSTD_COMPRESSBOUND), sealed.
std::uint64_t data_record_bytes_max(std::uint64_t pages, const ContainerHeader& header) {
  const std::uint64_t page_bytes = pages * header.page_size_bytes;
  return stored_record_bytes(page_bytes + (page_bytes >> 8U) + 64, header.is_encrypted());
}

}  // namespace

ContainerReader::ContainerReader(const std::filesystem::path& path, Keyring& keyring)
    : path_(path), file_(open_repository_file(path, O_RDONLY)) {
  const Bytes head = read_head(file_, path_);
  header_ = parse_header(head, path_.string());
  keys_ = keyring.keys_of(header_, path_.string());
  const ByteView head_fields = ByteView(head).first(header_bytes - seal_bytes);
  require_seal(ByteView(head).last(seal_bytes), seal_of(keys_, {head_fields}), path_, "header");

  const std::uint64_t size = size_of(file_, path_);
  const Bytes end = read_part(file_, size - trailer_bytes, trailer_bytes, path_);
  trailer_ = parse_trailer(end, path_.string());
  // The file has a header and a trailer, and what is between them bounds all that is allocated from here on.
  const std::uint64_t index_end = size - trailer_bytes;
  if (trailer_.file_bytes != size) {
    refuse(path_, "file", fmt::format("it has {} bytes and was written with {}", size, trailer_.file_bytes));
  }
  if (trailer_.group_count > group_count_max ||
      trailer_.index_bytes !=
          stored_record_bytes(trailer_.group_count * index_entry_bytes, header_.is_encrypted()) ||
      trailer_.index_offset < header_bytes || trailer_.index_offset > index_end ||
      trailer_.index_bytes != index_end - trailer_.index_offset) {
    refuse(path_, "end", "its index is not where it should be");
  }
  const Bytes index = read_part(file_, trailer_.index_offset, trailer_.index_bytes, path_);
  require_seal(ByteView(end).last(seal_bytes),
               seal_of(keys_, {head, index, ByteView(end).first(trailer_bytes - seal_bytes)}), path_,
               "index or the end");
  read_index(index);
}

ContainerHeader read_header(const std::filesystem::path& path) {
  const Descriptor file = open_repository_file(path, O_RDONLY);
  return parse_header(read_head(file, path), path.string());
}

void ContainerReader::read_index(ByteView stored) {
  Bytes text;
  const std::optional<ByteView> content =
      RecordSealer(keys_).open(RecordType::index, trailer_.group_count, stored, text);
  if (!content || content->size() != trailer_.group_count * index_entry_bytes) {
    refuse(path_, "index", "it was altered");
  }
  FieldReader fields(*content);
  const bool is_full = header_.kind == ContainerKind::full;
  std::uint64_t offset = header_bytes;
  std::uint64_t pages = 0;
  places_.reserve(trailer_.group_count);
  for (std::uint32_t number = 0; number < trailer_.group_count; ++number) {
    GroupPlace place;
    place.offset = offset;
    place.first_page = fields.u32();
    place.pages = fields.u32();
    place.hash_record_bytes = fields.u32();
    place.data_record_bytes = fields.u32();
    const std::uint64_t record_bytes = std::uint64_t{place.hash_record_bytes} + place.data_record_bytes;
    if (place.pages == 0 || place.first_page == 0 || place.pages > header_.group_pages ||
        (is_full && place.first_page != pages + 1) ||
        place.hash_record_bytes !=
            stored_record_bytes(hash_content_bytes(place.pages), header_.is_encrypted()) ||
        place.data_record_bytes > data_record_bytes_max(place.pages, header_) ||
        record_bytes > trailer_.index_offset - offset) {
      refuse(path_, "index", fmt::format("group {} does not fit into the file", number));
    }
    offset += record_bytes;
    pages += place.pages;
    places_.push_back(place);
  }
  if (offset != trailer_.index_offset || pages != trailer_.stored_pages ||
      (is_full && pages != header_.page_count)) {
    refuse(path_, "index", "its groups are not what the file holds");
  }
}

void ContainerReader::drop_from_page_cache(std::size_t group, std::uint64_t bytes) const noexcept {
  if (group >= places_.size()) return;
  ::posix_fadvise(file_.number(), static_cast<::off_t>(places_[group].offset), static_cast<::off_t>(bytes),
                  POSIX_FADV_DONTNEED);
}

void ContainerReader::read_hashes(std::size_t number, GroupCodec& codec, PageGroup& group) const {
  const GroupPlace& place = places_[number];
  const Bytes stored = read_part(file_, place.offset, place.hash_record_bytes, path_);
  codec.decode_hashes(number, place, stored, fmt::format("{}: group {} is damaged", path_.string(), number),
                      group);
}

void ContainerReader::read_group(std::size_t number, GroupCodec& codec, PageGroup& group) const {
  const GroupPlace& place = places_[number];
  const std::string what = fmt::format("{}: group {} is damaged", path_.string(), number);
  Bytes& stored = codec.stored_buffer();
  stored.resize(stored_bytes(number));
  read_at(file_, stored, static_cast<::off_t>(place.offset), path_);
  codec.decode_hashes(number, place, ByteView(stored).first(place.hash_record_bytes), what, group);
  codec.decode_pages(number, ByteView(stored).subspan(place.hash_record_bytes), what, group);
}

}  // namespace nerve::backups
