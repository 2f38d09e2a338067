// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "header.h"

#include "nerve/backups/key.h"
#include "nerve/core/random.h"
#include "nerve/core/secret.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::backups {

/// The keys of one container (docs/backup_format.md, "Keys"). Without cipher only the hash key, which then is
/// the hash salt.
struct ContainerKeys {
  Secret data_key;
  Secret seal_key;
  Secret hash_key;
};

/// What a manifest or a line of the catalogue is authenticated with (docs/backup_repository.md,
/// "Authentication"): keys of their own, made of the same master key as those of the containers.
enum class Authenticated : std::uint8_t { manifest, catalogue_line };

/// Seals with the seal key, or where there is none by a plain SHA-256.
crypto::Sha256Digest seal_of(const ContainerKeys& keys, std::initializer_list<ByteView> parts);

/// The key that the user gave, if any, and the master keys made of it. scrypt is dear, so each salt is tried
/// once with each key, whether it fits or not, and after so many that do not fit no other is tried: who may
/// write to a repository could make a run last for hours. For one thread.
class Keyring {
 public:
  Keyring() = default;
  /// Borrows the key; null where there is none.
  explicit Keyring(const BackupKey* key) noexcept : key_(key) {}

  bool has_key() const noexcept { return key_ != nullptr; }
  const BackupKey* key() const noexcept { return key_; }

  /// How a new generation says where its master key comes from; of source none where there is no key. It is
  /// the key that opened a container or manifest last, so that a database keeps its own, with the salt it
  /// has, where that costs what new ones do: one scrypt then opens a whole repository. The first, with a new
  /// salt, where none was opened. With a recovery key it is what that opened; throws DeniedError where it
  /// opened nothing.
  KeyFacts new_key_facts(Random& random);

  /// HMAC-SHA256 of `text` under the master key of `facts`; absent where no key is the one.
  std::optional<crypto::Sha256Digest> code_of(const KeyFacts& facts, Authenticated what, ByteView text);

  /// A master key that the recovery key `by`, one of the key's, has opened (recovery.h). Borrows that one.
  void add_recovered(const BackupKey& by, Secret master) { recovered_.push_back({&by, std::move(master)}); }

  /// Absent where no key is the one.
  std::optional<Secret> copy_of_master(const KeyFacts& facts);

  /// Whether both are made of one master key, which is one of the keyring.
  bool is_one_master(const KeyFacts& one, const KeyFacts& other);

  /// The keys of a container with this header. `name` stands for it in messages. Throws DeniedError where it
  /// is encrypted and there is no key, a key of the other kind, or a wrong one.
  ContainerKeys keys_of(const ContainerHeader& header, std::string_view name);

 private:
  struct Master {
    KeyFacts facts;
    Secret key;
    const BackupKey* made_of;
    std::array<Secret, 2> of_codes = {};  ///< by Authenticated; made at first use
  };

  struct Recovered {
    const BackupKey* by;
    Secret master;
  };

  std::vector<const BackupKey*> keys_of_source(KeySource source) const;
  Master* keep(const KeyFacts& facts, Secret master, const BackupKey& made_of);
  /// Null where no key is the one.
  Master* find_master(const KeyFacts& facts);

  struct Misfit {
    KeyFacts facts;
    const BackupKey* key;
  };

  std::optional<Secret> try_key(const BackupKey& key, const KeyFacts& facts);

  const BackupKey* key_ = nullptr;
  std::optional<std::size_t> opened_last_;  ///< index into masters_
  std::vector<Master> masters_;
  std::vector<Recovered> recovered_;
  std::vector<Misfit> misfits_;
  std::size_t misfits_of_passphrases_ = 0;
};

}  // namespace nerve::backups
