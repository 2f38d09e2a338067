// SPDX-License-Identifier: Apache-2.0
#include "container/fields.h"
#include "fuzz/container_bytes.h"
#include "fuzz/fuzz_target.h"

#include "nerve/crypto/aead.h"

#include <zstd.h>

#include <string>
#include <vector>

namespace nerve::fuzz {
namespace {

using backups::BackupId;
using backups::Cipher;
using backups::ContainerHeader;
using backups::ContainerKind;
using backups::FieldWriter;

constexpr std::uint32_t page_bytes = 512;

// All that another container would have at random is fixed, so that each run searches the same ones.
template <class Octets>
Octets octets_of(int first) {
  Octets octets{};
  for (std::byte& octet : octets) octet = static_cast<std::byte>(first++);
  return octets;
}

BackupId id_of(ContainerKind kind) {
  return BackupId(Uuid(octets_of<Uuid::Octets>(kind == ContainerKind::full ? 0x10 : 0x30)));
}

ContainerHeader header_of(ContainerKind kind, Cipher cipher) {
  const bool is_full = kind == ContainerKind::full;
  ContainerHeader header;
  header.kind = kind;
  header.cipher = cipher;
  header.page_size_bytes = page_bytes;
  header.page_count = is_full ? 4 : 5;
  header.group_pages = 512;
  header.id = id_of(kind);
  header.generation = id_of(ContainerKind::full);
  if (!is_full) header.parent = id_of(ContainerKind::full);
  header.depth = is_full ? 0 : 1;
  header.hash_salt = octets_of<backups::Salt16>(0x50);
  header.backup_salt = octets_of<backups::Salt32>(is_full ? 0x60 : 0x80);
  if (cipher == Cipher::none) return header;
  header.key.source = backups::KeySource::key_file;
  header.key.salt = octets_of<backups::Salt16>(0xA0);
  return header;
}

struct Group {
  PageNumbers numbers;
  Bytes frame;
};

/// Pages that compress and differ.
Group group_of(const PageNumbers& numbers, ContainerKind kind) {
  Bytes pages;
  for (const std::uint32_t number : numbers) {
    for (std::uint32_t octet = 0; octet < page_bytes; ++octet) {
      pages.push_back(static_cast<std::byte>(octet % (number + static_cast<std::uint32_t>(kind))));
    }
  }
  Bytes frame(::ZSTD_compressBound(pages.size()));
  const std::size_t size = ::ZSTD_compress(frame.data(), frame.size(), pages.data(), pages.size(), 1);
  require(::ZSTD_isError(size) == 0, "Zstandard compresses the pages");
  frame.resize(size);
  return {numbers, frame};
}

void append_record(Bytes& to, Cipher cipher, ByteView content) {
  const std::size_t tag_bytes = cipher == Cipher::none ? 0 : crypto::Aes256Gcm::tag_bytes;
  FieldWriter(to)
      .u32(cipher == Cipher::none ? backups::skippable_magic : backups::sealed_magic)
      .u32(static_cast<std::uint32_t>(content.size() + tag_bytes))
      .octets(content)
      .zeros(tag_bytes);
}

void append_group(Bytes& to, Bytes& index, Cipher cipher, std::uint32_t number, const Group& group) {
  const auto pages = static_cast<std::uint32_t>(group.numbers.size());
  const std::size_t begin = to.size();
  Bytes hashes;
  FieldWriter(hashes).u32(number).u32(pages);
  for (const std::uint32_t page : group.numbers) FieldWriter(hashes).u32(page);
  FieldWriter(hashes).zeros(pages * backups::PageHash().size());
  append_record(to, cipher, hashes);
  const std::size_t middle = to.size();
  if (cipher == Cipher::none) {
    FieldWriter(to).octets(group.frame);
  } else {
    append_record(to, cipher, group.frame);
  }
  FieldWriter(index)
      .u32(group.numbers.front())
      .u32(pages)
      .u32(static_cast<std::uint32_t>(middle - begin))
      .u32(static_cast<std::uint32_t>(to.size() - middle));
}

}  // namespace

std::string sample_container(ContainerKind kind, Cipher cipher, const std::vector<PageNumbers>& groups) {
  Bytes octets = backups::header_octets(header_of(kind, cipher));
  FieldWriter(octets).zeros(backups::seal_bytes);
  Bytes index;
  std::uint32_t pages = 0;
  for (std::uint32_t number = 0; number < groups.size(); ++number) {
    append_group(octets, index, cipher, number, group_of(groups[number], kind));
    pages += static_cast<std::uint32_t>(groups[number].size());
  }
  backups::ContainerTrailer trailer;
  trailer.index_offset = octets.size();
  trailer.group_count = static_cast<std::uint32_t>(groups.size());
  trailer.stored_pages = pages;
  append_record(octets, cipher, index);
  trailer.index_bytes = static_cast<std::uint32_t>(octets.size() - trailer.index_offset);
  trailer.file_bytes = octets.size() + backups::trailer_bytes;
  FieldWriter(octets).octets(backups::trailer_octets(trailer)).zeros(backups::seal_bytes);
  return std::string(as_text(octets));
}

std::string sample_container(ContainerKind kind, Cipher cipher) {
  const bool is_full = kind == ContainerKind::full;
  return sample_container(
      kind, cipher,
      is_full ? std::vector<PageNumbers>{{1, 2}, {3, 4}} : std::vector<PageNumbers>{{2, 5}, {1}});
}

}  // namespace nerve::fuzz
