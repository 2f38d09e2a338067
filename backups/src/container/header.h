// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/core/bytes.h"
#include "nerve/crypto/aead.h"
#include "nerve/crypto/hash.h"
#include "nerve/crypto/kdf.h"
#include "nerve/crypto/mac.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// The fixed parts of a container (docs/backup_format.md), as structures and as octets.
namespace nerve::backups {

using PageHash = crypto::KeyedHash::Digest;

inline constexpr std::uint32_t skippable_magic = 0x184D2A5E;
inline constexpr std::uint32_t sealed_magic = 0x184D2A5F;
inline constexpr std::size_t frame_head_bytes = 8;
inline constexpr std::size_t header_bytes = 256;
inline constexpr std::size_t trailer_bytes = 128;
inline constexpr std::size_t seal_bytes = 32;
inline constexpr std::size_t index_entry_bytes = 16;
inline constexpr std::uint32_t group_count_max = 1U << 18U;
inline constexpr std::uint32_t group_bytes_min = 256U * 1024U;

enum class ContainerKind : std::uint8_t { full = 1, delta = 2 };
enum class Cipher : std::uint8_t { none = 0, aes_256_gcm = 1 };
enum class KeySource : std::uint8_t { none = 0, key_file = 1, scrypt = 2 };

using Salt16 = std::array<std::byte, 16>;
using Salt32 = std::array<std::byte, 32>;

/// How the master key is found, and how one knows that it is the right one.
struct KeyFacts {
  KeySource source = KeySource::none;
  Salt16 salt{};
  crypto::ScryptCost cost{0, 0, 0};
  Salt16 check{};
};

struct ContainerHeader {
  ContainerKind kind = ContainerKind::full;
  Cipher cipher = Cipher::none;
  std::uint32_t page_size_bytes = 0;
  std::uint32_t page_count = 0;
  std::uint32_t group_pages = 0;
  BackupId id;
  BackupId generation;
  BackupId parent;  ///< all zeros in a full
  crypto::Sha256Digest parent_state{};
  std::uint32_t depth = 0;
  Salt16 hash_salt{};
  Salt32 backup_salt{};
  KeyFacts key;

  bool is_encrypted() const noexcept { return cipher != Cipher::none; }
};

/// What a container says of itself at its end.
struct ContainerTrailer {
  std::uint64_t index_offset = 0;
  std::uint32_t index_bytes = 0;
  std::uint32_t group_count = 0;
  std::uint32_t stored_pages = 0;
  std::uint64_t file_bytes = 0;
  crypto::Sha256Digest state{};
};

/// The content of a hash record: two counts, and for each page its number and hash.
inline constexpr std::uint64_t hash_content_bytes(std::uint64_t pages) noexcept {
  constexpr std::size_t counts_bytes = 8;
  constexpr std::size_t entry_bytes = 4 + PageHash().size();
  return counts_bytes + pages * entry_bytes;
}

/// Where a group is, and what it holds.
struct GroupPlace {
  std::uint64_t offset = 0;  ///< of its hash record; not stored
  std::uint32_t first_page = 0;
  std::uint32_t pages = 0;
  std::uint32_t hash_record_bytes = 0;
  std::uint32_t data_record_bytes = 0;
};

/// Whether one try of a passphrase may cost so much: it is paid before a seal or code can be compared, and
/// whoever may write to a repository could make a reader pay more.
bool is_affordable(const crypto::ScryptCost& cost) noexcept;

/// How many pages a group of a database of this size holds at most.
std::uint32_t group_pages_for(std::uint32_t page_size_bytes, std::uint32_t page_count);

/// The first 224 bytes; the seal follows them.
Bytes header_octets(const ContainerHeader& header);
/// The first 96 bytes; the seal follows them.
Bytes trailer_octets(const ContainerTrailer& trailer);

/// Reads the 256 or 128 bytes again, apart from the seal. `name` stands for the file in messages. Throws
/// UnsupportedError for a container of another format, IntegrityError for what cannot be one.
ContainerHeader parse_header(ByteView octets, std::string_view name);
ContainerTrailer parse_trailer(ByteView octets, std::string_view name);

}  // namespace nerve::backups
