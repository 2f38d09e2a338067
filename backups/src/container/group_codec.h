// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "header.h"
#include "keys.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/aead.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace nerve::backups {

/// Pages of a database with their numbers, in ascending order, and their hashes.
struct PageGroup {
  std::vector<std::uint32_t> numbers;
  std::vector<PageHash> hashes;
  Bytes octets;  ///< the pages, one after the other

  void clear() {
    numbers.clear();
    hashes.clear();
    octets.clear();
  }
};

/// What a record is for; its letter in the nonce.
enum class RecordType : char { hashes = 'h', data = 'd', index = 'i' };

/// Makes frames for a container and reads them: framing and, where there is a key, encryption. For one
/// thread.
class RecordSealer {
 public:
  explicit RecordSealer(const ContainerKeys& keys);

  /// Appends a record with `content`. A data record without cipher is no frame of its own: it is `content`.
  void append(RecordType type, std::uint64_t number, ByteView content, Bytes& to);

  /// The content of a record, `stored` with its head. A view into `stored` or into `text`. Absent when it is
  /// not such a record, or its tag says that it was altered.
  std::optional<ByteView> open(RecordType type, std::uint64_t number, ByteView stored, Bytes& text);

 private:
  std::optional<crypto::Aes256Gcm> cipher_;
};

/// The pages of a group as records, and back. For one thread.
class GroupCodec {
 public:
  GroupCodec(const ContainerHeader& header, const ContainerKeys& keys);
  GroupCodec(const GroupCodec&) = delete;
  GroupCodec& operator=(const GroupCodec&) = delete;
  ~GroupCodec();

  PageHash hash_of(ByteView page) { return hash_.of(page); }

  /// Memory for the records of one group after the other.
  Bytes& stored_buffer() noexcept { return stored_; }

  /// Appends both records of group `number` to `to`. The place's offset is left to whoever writes them.
  GroupPlace encode(std::uint64_t number, const PageGroup& group, Bytes& to);

  /// Reads a hash record into the numbers and hashes of `group`. Throws IntegrityError (`what` names
  /// container and group).
  void decode_hashes(std::uint64_t number, const GroupPlace& place, ByteView stored, const std::string& what,
                     PageGroup& group);

  /// Reads a data record of the group whose numbers and hashes are known, and compares each page with its
  /// hash. Throws IntegrityError.
  void decode_pages(std::uint64_t number, ByteView stored, const std::string& what, PageGroup& group);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };

  ContainerHeader header_;
  RecordSealer sealer_;
  crypto::KeyedHash hash_;
  std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompressor_;
  // Each grows to what its kind of record needs and stays: to shrink and grow again would fill it with zeros.
  Bytes compressed_;
  Bytes hashes_text_;
  Bytes pages_text_;
  Bytes stored_;
};

}  // namespace nerve::backups
