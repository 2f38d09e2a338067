// SPDX-License-Identifier: Apache-2.0
#include "salvage/record.h"

#include "salvage/big_endian.h"

#include <algorithm>
#include <array>
#include <bit>

namespace nerve::backups::salvage {
namespace {

constexpr std::uint32_t varint_bytes_max = 9;

/// Whether the serial type is one that SQLite writes: 10 and 11 are reserved.
constexpr bool is_serial_type(std::uint64_t serial_type) noexcept {
  return serial_type != 10 && serial_type != 11;
}

constexpr std::uint64_t size_of_serial_type(std::uint64_t serial_type) noexcept {
  constexpr std::array<std::uint8_t, 12> sizes = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return serial_type < sizes.size() ? sizes[serial_type] : (serial_type - 12) / 2;
}

/// Extends the sign of an integer of so many bytes.
std::int64_t signed_at(ByteView bytes) noexcept {
  const auto unused_bits = static_cast<unsigned int>(64 - 8 * bytes.size());
  return static_cast<std::int64_t>(big_endian(bytes, 0, bytes.size()) << unused_bits) >> unused_bits;
}

Value value_of(std::uint64_t serial_type, ByteView bytes) noexcept {
  using sqlite::StorageClass;
  Value value;
  if (serial_type >= 12) {
    value.type = serial_type % 2 == 0 ? StorageClass::blob : StorageClass::text;
    value.octets = bytes;
  } else if (serial_type == 7) {
    value.type = StorageClass::real;
    value.real = std::bit_cast<double>(big_endian(bytes, 0, 8));
  } else if (serial_type != 0) {
    value.type = StorageClass::integer;
    value.integer = serial_type >= 8 ? static_cast<std::int64_t>(serial_type - 8) : signed_at(bytes);
  }
  return value;
}

/// The serial types of a record, and where its values begin.
struct RecordHeader {
  std::vector<std::uint64_t> serial_types;
  std::uint64_t size_bytes = 0;    ///< of the header
  std::uint64_t record_bytes = 0;  ///< of header and values
};

std::optional<RecordHeader> read_record_header(ByteView payload) {
  const std::optional<Varint> size = varint_at(payload, 0);
  if (!size || size->value > payload.size() || size->value < size->size_bytes) return std::nullopt;
  RecordHeader header{{}, size->value, size->value};
  const ByteView types = payload.first(size->value);
  for (std::size_t offset = size->size_bytes; offset < types.size();) {
    const std::optional<Varint> type = varint_at(types, offset);
    if (!type || !is_serial_type(type->value) || header.serial_types.size() == columns_max) {
      return std::nullopt;
    }
    const std::uint64_t size_bytes = size_of_serial_type(type->value);
    if (size_bytes > payload_bytes_max || header.record_bytes > payload_bytes_max) return std::nullopt;
    header.record_bytes += size_bytes;
    offset += type->size_bytes;
    header.serial_types.push_back(type->value);
  }
  return header;
}

/// The values of a record of which only `payload` is there: those that are whole, then one that is cut, then
/// NULL.
Record values_of(const RecordHeader& header, ByteView payload) {
  Record record;
  record.reserve(header.serial_types.size());
  std::uint64_t offset = header.size_bytes;
  for (const std::uint64_t serial_type : header.serial_types) {
    const std::uint64_t size_bytes = size_of_serial_type(serial_type);
    const std::uint64_t there = offset < payload.size() ? payload.size() - offset : 0;
    if (size_bytes <= there) {
      record.push_back(value_of(serial_type, payload.subspan(offset, size_bytes)));
    } else if (serial_type >= 12 && there > 0) {
      record.push_back(value_of(serial_type, payload.subspan(offset, there)));
    } else {
      // Of a number cut in two nothing is left; a value of no bytes behind the cut may stand.
      record.push_back(size_bytes == 0 ? value_of(serial_type, {}) : Value{});
    }
    offset += size_bytes;
  }
  return record;
}

}  // namespace

std::optional<Varint> varint_at(ByteView bytes, std::size_t offset) noexcept {
  Varint varint;
  while (offset < bytes.size()) {
    const std::uint8_t byte = u8_at(bytes, offset++);
    ++varint.size_bytes;
    if (varint.size_bytes == varint_bytes_max) {
      varint.value = varint.value << 8U | byte;
      return varint;
    }
    varint.value = varint.value << 7U | (byte & 0x7fU);
    if (byte < 0x80) return varint;
  }
  return std::nullopt;
}

std::optional<Record> read_record(ByteView payload) {
  return read_cut_record(payload, payload.size());
}

std::optional<Record> read_damaged_record(ByteView payload) {
  const std::optional<RecordHeader> header = read_record_header(payload);
  if (!header) return std::nullopt;
  return values_of(*header, payload);
}

std::optional<Record> read_cut_record(ByteView payload, std::uint64_t payload_bytes) {
  const std::optional<RecordHeader> header = read_record_header(payload);
  if (!header || header->record_bytes != payload_bytes) return std::nullopt;
  return values_of(*header, payload);
}

}  // namespace nerve::backups::salvage
