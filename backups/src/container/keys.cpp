// SPDX-License-Identifier: Apache-2.0
#include "keys.h"

#include "nerve/core/error.h"
#include "nerve/crypto/kdf.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::backups {
namespace {

constexpr std::size_t derived_key_bytes = 32;
constexpr crypto::ScryptCost cost_of_new_keys{};

Salt16 check_of(const Secret& master, const Salt16& salt) {
  const Secret check = crypto::hkdf_sha256(master.reveal(), salt, "nerve backup key check", Salt16().size());
  Salt16 value{};
  std::ranges::copy(check.reveal(), value.begin());
  return value;
}

bool is_same_master(const KeyFacts& left, const KeyFacts& right) {
  return left.source == right.source && left.salt == right.salt && left.cost.log2_n == right.cost.log2_n &&
         left.cost.r == right.cost.r && left.cost.p == right.cost.p;
}

KeySource source_of(const BackupKey& key) {
  return key.kind() == BackupKey::Kind::passphrase ? KeySource::scrypt : KeySource::key_file;
}

[[noreturn]] void throw_no_key(KeySource source, std::string_view name) {
  if (source == KeySource::scrypt) {
    throw DeniedError(fmt::format("{} is encrypted with a passphrase", name),
                      "Give it by --passphrase-file FILE, or in the environment as NERVE_PASSPHRASE.");
  }
  throw DeniedError(fmt::format("{} is encrypted with a key file", name), "Give it by --key-file FILE.");
}

}  // namespace

crypto::Sha256Digest seal_of(const ContainerKeys& keys, std::initializer_list<ByteView> parts) {
  if (keys.seal_key.empty()) {
    crypto::Sha256 hash;
    for (const ByteView part : parts) hash.update(part);
    return hash.finish();
  }
  crypto::HmacSha256 code(keys.seal_key.reveal());
  for (const ByteView part : parts) code.update(part);
  return code.finish();
}

const Secret& Keyring::master_of(const KeyFacts& facts) {
  const auto known = std::ranges::find_if(
      masters_, [&](const Master& master) { return is_same_master(master.facts, facts); });
  if (known != masters_.end()) return known->key;
  Secret key = facts.source == KeySource::scrypt
                   ? crypto::scrypt(key_->secret(), facts.salt, facts.cost, derived_key_bytes)
                   : Secret::copy_of(key_->secret().reveal());
  masters_.push_back({facts, std::move(key)});
  return masters_.back().key;
}

KeyFacts Keyring::new_key_facts(Random& random) {
  KeyFacts facts;
  if (!key_) return facts;
  facts.source = source_of(*key_);
  if (facts.source == KeySource::scrypt) facts.cost = cost_of_new_keys;
  random.fill(facts.salt);
  facts.check = check_of(master_of(facts), facts.salt);
  return facts;
}

ContainerKeys Keyring::keys_of(const ContainerHeader& header, std::string_view name) {
  ContainerKeys keys;
  if (!header.is_encrypted()) {
    keys.hash_key = Secret::copy_of(header.hash_salt);
    return keys;
  }
  if (!key_ || source_of(*key_) != header.key.source) throw_no_key(header.key.source, name);
  const Secret& master = master_of(header.key);
  if (!equal_constant_time(check_of(master, header.key.salt), header.key.check)) {
    throw DeniedError(fmt::format("{} is encrypted with another {}", name,
                                  header.key.source == KeySource::scrypt ? "passphrase" : "key file"),
                      "Give the one that was used when its first full backup was made. If it is the one, the "
                      "file was altered.");
  }
  keys.data_key =
      crypto::hkdf_sha256(master.reveal(), header.backup_salt, "nerve backup data", derived_key_bytes);
  keys.seal_key =
      crypto::hkdf_sha256(master.reveal(), header.backup_salt, "nerve backup seal", derived_key_bytes);
  keys.hash_key =
      crypto::hkdf_sha256(master.reveal(), header.hash_salt, "nerve backup page hash", Salt16().size());
  return keys;
}

}  // namespace nerve::backups
