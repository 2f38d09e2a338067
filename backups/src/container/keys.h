// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "header.h"

#include "nerve/backups/key.h"
#include "nerve/core/random.h"
#include "nerve/core/secret.h"

#include <initializer_list>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// The keys of one container (docs/backup_format.md, "Keys"). Without cipher only the hash key, which then is
/// the hash salt.
struct ContainerKeys {
  Secret data_key;
  Secret seal_key;
  Secret hash_key;
};

/// Seals with the seal key, or where there is none by a plain SHA-256.
crypto::Sha256Digest seal_of(const ContainerKeys& keys, std::initializer_list<ByteView> parts);

/// The key that the user gave, if any, and the master keys made of it: scrypt is dear, and a chain of
/// containers has one salt. For one thread.
class Keyring {
 public:
  Keyring() = default;
  /// Borrows the key; null where there is none.
  explicit Keyring(const BackupKey* key) noexcept : key_(key) {}

  bool has_key() const noexcept { return key_ != nullptr; }

  /// How a new generation says where its master key comes from; of source none where there is no key. It is
  /// the key that opened a container last, so that a database keeps its own; the first, where none was
  /// opened.
  KeyFacts new_key_facts(Random& random);

  /// The keys of a container with this header. `name` stands for it in messages. Throws DeniedError where it
  /// is encrypted and there is no key, a key of the other kind, or a wrong one.
  ContainerKeys keys_of(const ContainerHeader& header, std::string_view name);

 private:
  struct Master {
    KeyFacts facts;
    Secret key;
    const BackupKey* made_of;
  };

  std::vector<const BackupKey*> keys_of_source(KeySource source) const;
  /// Null where no key is the one.
  const Secret* find_master(const KeyFacts& facts);

  const BackupKey* key_ = nullptr;
  const BackupKey* opened_with_ = nullptr;
  std::vector<Master> masters_;
};

}  // namespace nerve::backups
