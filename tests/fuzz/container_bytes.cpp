// SPDX-License-Identifier: Apache-2.0
#include "fuzz/container_bytes.h"

#include "fuzz/sample_key.h"

#include "nerve/crypto/aead.h"
#include "nerve/crypto/hash.h"
#include "nerve/crypto/kdf.h"
#include "nerve/crypto/mac.h"

#include <zstd.h>

#include <algorithm>
#include <array>

namespace nerve::fuzz {
namespace {

using backups::PageHash;

constexpr std::uint32_t magic_in_the_clear = 0x184D2A5E;
constexpr std::uint32_t magic_when_sealed = 0x184D2A5F;
constexpr std::size_t header_size = 256;
constexpr std::size_t trailer_size = 128;
constexpr std::size_t seal_size = 32;
constexpr std::size_t head_size = 8;
constexpr std::size_t entry_size = 16;
/// More pages are left to the reader: what is searched are small databases.
constexpr std::size_t pages_max = 4096;

// Places in the header, and in the trailer from its begin.
constexpr std::size_t kind_at = 16;
constexpr std::size_t cipher_at = 17;
constexpr std::size_t key_source_at = 18;
constexpr std::size_t page_size_at = 20;
constexpr std::size_t page_count_at = 24;
constexpr std::size_t parent_state_at = 80;
constexpr std::size_t hash_salt_at = 120;
constexpr std::size_t backup_salt_at = 136;
constexpr std::size_t key_salt_at = 168;
constexpr std::size_t key_check_at = 188;
constexpr std::size_t index_offset_at = 16;
constexpr std::size_t index_bytes_at = 24;
constexpr std::size_t group_count_at = 28;
constexpr std::size_t stored_pages_at = 32;
constexpr std::size_t file_bytes_at = 40;
constexpr std::size_t state_at = 48;

/// The pages of a frame; empty where it is none of so many octets.
Bytes pages_in(ByteView frame, std::size_t octets) {
  constexpr std::size_t octets_max = std::size_t{1} << 20U;
  if (octets > octets_max || ::ZSTD_getFrameContentSize(frame.data(), frame.size()) != octets) return {};
  Bytes pages(octets);
  const std::size_t size = ::ZSTD_decompress(pages.data(), pages.size(), frame.data(), frame.size());
  if (size != octets) pages.clear();
  return pages;
}

ByteView master_key() {
  return sample_key().secret().reveal();
}

}  // namespace

bool ContainerBytes::is_whole() const noexcept {
  return octets_.size() >= header_size + trailer_size;
}

bool ContainerBytes::is_delta() const noexcept {
  return is_whole() && octets_[kind_at] == static_cast<char>(backups::ContainerKind::delta);
}

bool ContainerBytes::is_encrypted() const noexcept {
  return is_whole() && octets_[cipher_at] == static_cast<char>(backups::Cipher::aes_256_gcm);
}

std::size_t ContainerBytes::trailer() const noexcept {
  return octets_.size() - trailer_size;
}

std::size_t ContainerBytes::tag_bytes() const noexcept {
  return is_encrypted() ? crypto::Aes256Gcm::tag_bytes : 0;
}

std::size_t ContainerBytes::head_bytes_of_data() const noexcept {
  return is_encrypted() ? head_size : 0;
}

std::string_view ContainerBytes::state() const {
  return std::string_view(octets_).substr(trailer() + state_at, seal_size);
}

std::uint64_t ContainerBytes::number(std::size_t place, std::size_t size) const {
  std::uint64_t value = 0;
  for (std::size_t at = place + size; at > place; --at) {
    value = (value << 8U) | static_cast<unsigned char>(octets_[at - 1]);
  }
  return value;
}

void ContainerBytes::put(std::size_t place, std::uint64_t value, std::size_t size) {
  for (; size > 0; --size, ++place, value >>= 8U) {
    octets_[place] = static_cast<char>(static_cast<unsigned char>(value & 0xFFU));
  }
}

void ContainerBytes::put(std::size_t place, ByteView value) {
  octets_.replace(place, value.size(), as_text(value));
}

ByteView ContainerBytes::view(std::size_t place, std::size_t size) const {
  return as_bytes(octets_).subspan(place, size);
}

void ContainerBytes::set_parent_state(std::string_view state) {
  put(parent_state_at, as_bytes(state));
}

backups::ContainerKeys ContainerBytes::keys() const {
  backups::ContainerKeys keys;
  const ByteView hash_salt = view(hash_salt_at, 16);
  if (!is_encrypted()) {
    keys.hash_key = Secret::copy_of(hash_salt);
    return keys;
  }
  const ByteView backup_salt = view(backup_salt_at, 32);
  keys.data_key = crypto::hkdf_sha256(master_key(), backup_salt, "nerve backup data", 32);
  keys.seal_key = crypto::hkdf_sha256(master_key(), backup_salt, "nerve backup seal", 32);
  keys.hash_key = crypto::hkdf_sha256(master_key(), hash_salt, "nerve backup page hash", 16);
  return keys;
}

ContainerBytes::Record ContainerBytes::index() const {
  const std::uint64_t offset = number(trailer() + index_offset_at, 8);
  const std::uint64_t size = number(trailer() + index_bytes_at, 4);
  const std::uint64_t groups = number(trailer() + group_count_at, 4);
  if (offset < header_size || offset > trailer() || size > trailer() - offset)
    return {'i', groups, header_size, 0};
  return {'i', groups, offset, size};
}

std::vector<ContainerBytes::Record> ContainerBytes::records() const {
  std::vector<Record> records;
  const Record place = index();
  std::size_t offset = header_size;
  std::size_t entry = place.offset + head_size;
  for (std::uint64_t group = 0; entry + entry_size <= place.offset + place.size;
       ++group, entry += entry_size) {
    const std::size_t hashes = number(entry + 8, 4);
    const std::size_t data = number(entry + 12, 4);
    if (hashes + data > place.offset - offset) break;
    records.push_back({'h', group, offset, hashes});
    records.push_back({'d', group, offset + hashes, data});
    offset += hashes + data;
  }
  if (place.size > 0) records.push_back(place);
  return records;
}

void ContainerBytes::put_head(const Record& record) {
  put(record.offset, is_encrypted() ? magic_when_sealed : magic_in_the_clear, 4);
  put(record.offset + 4, record.size - head_size, 4);
}

void ContainerBytes::complete_group(std::uint32_t group, std::size_t offset, std::size_t entry,
                                    std::vector<PageHash>& state) {
  const std::size_t pages = number(entry + 4, 4);
  const std::size_t hash_bytes = number(entry + 8, 4);
  const std::size_t data_bytes = number(entry + 12, 4);
  put_head({'h', group, offset, hash_bytes});
  const std::size_t content = offset + head_size;
  put(content, group, 4);
  put(content + 4, pages, 4);
  put(entry, number(content + 8, 4), 4);
  const std::size_t overhead = head_bytes_of_data() + tag_bytes();
  if (data_bytes < overhead) return;
  const Record data{'d', group, offset + hash_bytes, data_bytes};
  if (is_encrypted()) put_head(data);
  const std::size_t page_bytes = number(page_size_at, 4);
  const Bytes octets =
      pages_in(view(data.offset + head_bytes_of_data(), data_bytes - overhead), pages * page_bytes);
  if (octets.empty()) return;
  crypto::KeyedHash hash(keys().hash_key.reveal());
  for (std::size_t place = 0; place < pages; ++place) {
    const PageHash page = hash.of(ByteView(octets).subspan(place * page_bytes, page_bytes));
    put(content + 8 + 4 * pages + place * page.size(), page);
    const std::size_t page_number = number(content + 8 + 4 * place, 4);
    if (page_number >= 1 && page_number <= state.size()) state[page_number - 1] = page;
  }
}

void ContainerBytes::complete(std::vector<PageHash>& state) {
  if (!is_whole()) return;
  put(trailer() + file_bytes_at, octets_.size(), 8);
  const std::uint64_t groups = number(trailer() + group_count_at, 4);
  const std::uint64_t index_bytes = head_size + groups * entry_size + tag_bytes();
  const std::size_t page_count = number(page_count_at, 4);
  if (index_bytes > trailer() - header_size || page_count > pages_max) return;
  put(trailer() + index_offset_at, trailer() - index_bytes, 8);
  put(trailer() + index_bytes_at, index_bytes, 4);
  put_head(index());
  state.resize(page_count);
  std::size_t rest = trailer() - index_bytes - header_size;
  std::size_t stored_pages = 0;
  for (std::uint32_t group = 0; group < groups; ++group) {
    const std::size_t entry = trailer() - index_bytes + head_size + group * entry_size;
    const std::size_t pages = number(entry + 4, 4);
    const std::size_t hash_bytes = head_size + 8 + 20 * pages + tag_bytes();
    if (pages == 0 || hash_bytes > rest) return;
    put(entry + 8, hash_bytes, 4);
    // What was added or taken away in between is the last group's.
    if (group + 1 == groups) put(entry + 12, rest - hash_bytes, 4);
    const std::size_t data_bytes = number(entry + 12, 4);
    if (data_bytes > rest - hash_bytes) return;
    complete_group(group, trailer() - index_bytes - rest, entry, state);
    rest -= hash_bytes + data_bytes;
    stored_pages += pages;
  }
  put(trailer() + stored_pages_at, stored_pages, 4);
  put(trailer() + state_at, crypto::sha256(std::as_bytes(std::span(state))));
}

void ContainerBytes::seal() {
  if (!is_whole()) return;
  const backups::ContainerKeys keys = this->keys();
  if (octets_[key_source_at] == static_cast<char>(backups::KeySource::key_file)) {
    const Secret check =
        crypto::hkdf_sha256(master_key(), view(key_salt_at, 16), "nerve backup key check", 16);
    put(key_check_at, check.reveal());
  }
  const Record place = index();
  if (is_encrypted()) {
    crypto::Aes256Gcm cipher(keys.data_key.reveal());
    for (const Record& record : records()) {
      if (record.size < head_size + tag_bytes()) continue;
      crypto::Aes256Gcm::Nonce nonce{};
      nonce[0] = static_cast<std::byte>(record.type);
      for (std::size_t octet = 0; octet < 8; ++octet) {
        nonce[4 + octet] = static_cast<std::byte>((record.number >> (8 * octet)) & 0xFFU);
      }
      Bytes sealed;
      cipher.seal(nonce, view(record.offset, head_size),
                  view(record.offset + head_size, record.size - head_size - tag_bytes()), sealed);
      put(record.offset + head_size, sealed);
    }
  }
  put(header_size - seal_size, backups::seal_of(keys, {view(0, header_size - seal_size)}));
  put(octets_.size() - seal_size,
      backups::seal_of(keys, {view(0, header_size), view(place.offset, place.size),
                              view(trailer(), trailer_size - seal_size)}));
}

}  // namespace nerve::fuzz
