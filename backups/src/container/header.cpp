// SPDX-License-Identifier: Apache-2.0
#include "header.h"

#include "fields.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <bit>

namespace nerve::backups {
namespace {

constexpr std::string_view header_name = "NERVEBK1";
constexpr std::string_view trailer_name = "NERVEEND";
constexpr std::size_t cost_log2_n_max = 20;
constexpr std::size_t cost_r_max = 32;
constexpr std::size_t cost_p_max = 16;
/// What one try of a passphrase may take: memory of 128·N·r bytes, and N·r·p steps. It is paid before the
/// header's seal can be compared.
constexpr std::uint64_t scrypt_bytes_max = std::uint64_t{512} << 20U;
constexpr std::uint64_t scrypt_steps_max = std::uint64_t{1} << 23U;
constexpr std::size_t page_size_bytes_max = 65536;
/// As many as SQLite numbers.
constexpr std::uint32_t page_count_max = 4'294'967'294;
constexpr std::uint32_t depth_max = 1'000'000;

[[noreturn]] void refuse(std::string_view name, std::string_view part, std::string_view reason) {
  throw IntegrityError(fmt::format("{}: the {} of the backup is damaged: {}", name, part, reason));
}

bool is_page_size(std::uint32_t size_bytes) {
  return size_bytes >= 512 && size_bytes <= page_size_bytes_max && std::has_single_bit(size_bytes);
}

bool is_zero(const BackupId& id) {
  return id == BackupId();
}

/// Whether what the fields say fits together.
std::string_view contradiction(const ContainerHeader& header) {
  const bool is_full = header.kind == ContainerKind::full;
  const bool is_scrypt = header.key.source == KeySource::scrypt;
  const crypto::ScryptCost& cost = header.key.cost;
  const std::uint32_t groups_max_pages = header.group_pages;
  if (!is_page_size(header.page_size_bytes)) return "its page size is none";
  if (header.page_count > page_count_max) return "it has more pages than a database can have";
  if (header.depth > depth_max) return "more deltas lead to it than there can be";
  if (groups_max_pages != group_pages_for(header.page_size_bytes, header.page_count)) {
    return "its groups have another size";
  }
  if (is_full != (header.depth == 0) || is_full != is_zero(header.parent) ||
      is_full != (header.generation == header.id)) {
    return "it is neither a full nor a delta";
  }
  if (header.is_encrypted() != (header.key.source != KeySource::none)) return "cipher and key do not fit";
  if (is_scrypt ? !is_affordable(cost) : cost.log2_n != 0 || cost.r != 0 || cost.p != 0) {
    return "its costs of scrypt are out of bounds";
  }
  return {};
}

}  // namespace

bool is_affordable(const crypto::ScryptCost& cost) noexcept {
  if (cost.log2_n < 1 || cost.log2_n > cost_log2_n_max || cost.r < 1 || cost.r > cost_r_max || cost.p < 1 ||
      cost.p > cost_p_max) {
    return false;
  }
  const std::uint64_t block_steps = (std::uint64_t{1} << cost.log2_n) * cost.r;
  return 128 * block_steps <= scrypt_bytes_max && block_steps * cost.p <= scrypt_steps_max;
}

std::uint32_t group_pages_for(std::uint32_t page_size_bytes, std::uint32_t page_count) {
  std::uint64_t group_bytes = group_bytes_min;
  const std::uint64_t total_bytes = std::uint64_t{page_size_bytes} * page_count;
  while (group_bytes * group_count_max < total_bytes) group_bytes *= 2;
  return static_cast<std::uint32_t>(group_bytes / page_size_bytes);
}

Bytes header_octets(const ContainerHeader& header) {
  Bytes octets;
  octets.reserve(header_bytes);
  FieldWriter(octets)
      .u32(skippable_magic)
      .u32(header_bytes - frame_head_bytes)
      .octets(as_bytes(header_name))
      .u8(static_cast<std::uint8_t>(header.kind))
      .u8(static_cast<std::uint8_t>(header.cipher))
      .u8(static_cast<std::uint8_t>(header.key.source))
      .u8(0)
      .u32(header.page_size_bytes)
      .u32(header.page_count)
      .u32(header.group_pages)
      .octets(header.id.uuid().octets())
      .octets(header.generation.uuid().octets())
      .octets(header.parent.uuid().octets())
      .octets(header.parent_state)
      .u32(header.depth)
      .u32(0)
      .octets(header.hash_salt)
      .octets(header.backup_salt)
      .octets(header.key.salt)
      .u8(header.key.cost.log2_n)
      .u8(header.key.cost.r)
      .u8(header.key.cost.p)
      .u8(0)
      .octets(header.key.check)
      .zeros(20);
  return octets;
}

Bytes trailer_octets(const ContainerTrailer& trailer) {
  Bytes octets;
  octets.reserve(trailer_bytes);
  FieldWriter(octets)
      .u32(skippable_magic)
      .u32(trailer_bytes - frame_head_bytes)
      .octets(as_bytes(trailer_name))
      .u64(trailer.index_offset)
      .u32(trailer.index_bytes)
      .u32(trailer.group_count)
      .u32(trailer.stored_pages)
      .u32(0)
      .u64(trailer.file_bytes)
      .octets(trailer.state)
      .zeros(16);
  return octets;
}

ContainerHeader parse_header(ByteView octets, std::string_view name) {
  if (octets.size() != header_bytes) refuse(name, "header", "the file is too short");
  FieldReader fields(octets);
  if (fields.u32() != skippable_magic || fields.u32() != header_bytes - frame_head_bytes) {
    refuse(name, "header", "it does not begin as one");
  }
  const std::array<std::byte, 8> magic = fields.octets<8>();
  if (as_text(magic) != header_name) {
    if (as_text(magic).starts_with(header_name.substr(0, 7))) {
      throw UnsupportedError(fmt::format("{} is a backup of a format that this program does not know", name),
                             "Use the version of nerve-db that wrote it, or a later one.");
    }
    refuse(name, "header", "it does not begin as one");
  }
  ContainerHeader header;
  const std::uint8_t kind = fields.u8();
  const std::uint8_t cipher = fields.u8();
  const std::uint8_t source = fields.u8();
  bool is_sound = kind >= 1 && kind <= 2 && cipher <= 1 && source <= 2 && fields.zeros(1);
  header.kind = static_cast<ContainerKind>(kind);
  header.cipher = static_cast<Cipher>(cipher);
  header.key.source = static_cast<KeySource>(source);
  header.page_size_bytes = fields.u32();
  header.page_count = fields.u32();
  header.group_pages = fields.u32();
  header.id = BackupId(Uuid(fields.octets<16>()));
  header.generation = BackupId(Uuid(fields.octets<16>()));
  header.parent = BackupId(Uuid(fields.octets<16>()));
  header.parent_state = fields.octets<32>();
  header.depth = fields.u32();
  is_sound = fields.zeros(4) && is_sound;
  header.hash_salt = fields.octets<16>();
  header.backup_salt = fields.octets<32>();
  header.key.salt = fields.octets<16>();
  header.key.cost = {fields.u8(), fields.u8(), fields.u8()};
  is_sound = fields.zeros(1) && is_sound;
  header.key.check = fields.octets<16>();
  is_sound = fields.zeros(20) && is_sound;
  if (!is_sound) refuse(name, "header", "a field has a value that it cannot have");
  if (const std::string_view reason = contradiction(header); !reason.empty()) refuse(name, "header", reason);
  return header;
}

ContainerTrailer parse_trailer(ByteView octets, std::string_view name) {
  FieldReader fields(octets);
  if (fields.u32() != skippable_magic || fields.u32() != trailer_bytes - frame_head_bytes ||
      as_text(fields.octets<8>()) != trailer_name) {
    refuse(name, "end", "it does not end as one; it was cut off or never finished");
  }
  ContainerTrailer trailer;
  trailer.index_offset = fields.u64();
  trailer.index_bytes = fields.u32();
  trailer.group_count = fields.u32();
  trailer.stored_pages = fields.u32();
  bool is_sound = fields.zeros(4);
  trailer.file_bytes = fields.u64();
  trailer.state = fields.octets<32>();
  is_sound = fields.zeros(16) && is_sound;
  if (!is_sound) refuse(name, "end", "a field has a value that it cannot have");
  return trailer;
}

}  // namespace nerve::backups
