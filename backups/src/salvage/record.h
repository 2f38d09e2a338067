// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nerve::backups::salvage {

struct Varint {
  std::uint64_t value = 0;
  std::uint32_t size_bytes = 0;  ///< 1 to 9
};

/// The variable-length integer at `offset`; nothing where the bytes end before it does.
std::optional<Varint> varint_at(ByteView bytes, std::size_t offset) noexcept;

/// One value of a record; text and blobs are borrowed from its payload, text in the encoding of the file.
struct Value {
  sqlite::StorageClass type = sqlite::StorageClass::null;
  std::int64_t integer = 0;
  double real = 0;
  ByteView octets = {};
};

using Record = std::vector<Value>;

/// SQLite's own limit of the size of a row.
inline constexpr std::uint64_t payload_bytes_max = 1'000'000'000;
/// The most columns that any build of SQLite permits.
inline constexpr std::size_t columns_max = 32'767;

/// A record (https://www.sqlite.org/fileformat2.html#record_format) that fills `payload` exactly; nothing
/// where it does not.
std::optional<Record> read_record(ByteView payload);

/// A record that does not fill `payload` exactly, since its length or that of one of its values is damaged:
/// the values before the damage are right. Nothing where it has no header that could be one.
std::optional<Record> read_damaged_record(ByteView payload);

/// The beginning of a record of `payload_bytes`, of which only `payload` could be read: values that are
/// whole, then one that is cut, then NULL. Nothing where not even its header is whole and right.
std::optional<Record> read_cut_record(ByteView payload, std::uint64_t payload_bytes);

}  // namespace nerve::backups::salvage
