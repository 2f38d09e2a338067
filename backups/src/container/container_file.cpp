// SPDX-License-Identifier: Apache-2.0
#include "container_file.h"

#include "fields.h"
#include "group_codec.h"

#include <fcntl.h>

namespace nerve::backups {
namespace {

/// How much is written before the kernel is asked to begin with it, so that the last sync has little to do.
constexpr std::uint64_t writeback_bytes = std::uint64_t{8} << 20U;

}  // namespace

ContainerFile::ContainerFile(const Descriptor& file, const std::filesystem::path& path,
                             const ContainerHeader& header, const ContainerKeys& keys)
    : file_(file), path_(path), keys_(keys), written_(path), sealed_header_(header_octets(header)) {
  const crypto::Sha256Digest seal = seal_of(keys_, {sealed_header_});
  FieldWriter(sealed_header_).octets(seal);
  append(sealed_header_);
}

void ContainerFile::append_group(GroupPlace place, ByteView records) {
  place.offset = file_bytes_;
  append(records);
  places_.push_back(place);
  stored_pages_ += place.pages;
  if (file_bytes_ - bytes_at_writeback_ < writeback_bytes) return;
  // A hint: that it cannot be followed is no error.
  ::sync_file_range(file_.number(), static_cast<::off64_t>(bytes_at_writeback_),
                    static_cast<::off64_t>(file_bytes_ - bytes_at_writeback_), SYNC_FILE_RANGE_WRITE);
  bytes_at_writeback_ = file_bytes_;
}

void ContainerFile::append(ByteView bytes) {
  write_bytes(file_, bytes, path_);
  written_.add(bytes);
  file_bytes_ += bytes.size();
}

ContainerTrailer ContainerFile::finish(const crypto::Sha256Digest& state) {
  ContainerTrailer trailer;
  trailer.index_offset = file_bytes_;
  trailer.group_count = static_cast<std::uint32_t>(places_.size());
  Bytes index;
  for (const GroupPlace& place : places_) {
    FieldWriter(index)
        .u32(place.first_page)
        .u32(place.pages)
        .u32(place.hash_record_bytes)
        .u32(place.data_record_bytes);
  }
  Bytes stored_index;
  RecordSealer(keys_).append(RecordType::index, places_.size(), index, stored_index);
  append(stored_index);
  trailer.index_bytes = static_cast<std::uint32_t>(stored_index.size());
  trailer.stored_pages = stored_pages_;
  trailer.file_bytes = file_bytes_ + trailer_bytes;
  trailer.state = state;
  Bytes end = trailer_octets(trailer);
  const crypto::Sha256Digest seal = seal_of(keys_, {sealed_header_, stored_index, end});
  FieldWriter(end).octets(seal);
  append(end);
  sync_descriptor(file_, path_);
  written_.compare();
  return trailer;
}

}  // namespace nerve::backups
