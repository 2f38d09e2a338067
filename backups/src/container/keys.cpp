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
/// Of salts that do not fit: a repository seldom has backups under more than two passphrases.
constexpr std::size_t misfits_max = 8;

Salt16 check_of(const Secret& master, const Salt16& salt) {
  const Secret check = crypto::hkdf_sha256(master.reveal(), salt, "nerve backup key check", Salt16().size());
  Salt16 value{};
  std::ranges::copy(check.reveal(), value.begin());
  return value;
}

bool is_same_cost(const crypto::ScryptCost& left, const crypto::ScryptCost& right) {
  return left.log2_n == right.log2_n && left.r == right.r && left.p == right.p;
}

bool is_same_master(const KeyFacts& left, const KeyFacts& right) {
  return left.source == right.source && left.salt == right.salt && is_same_cost(left.cost, right.cost) &&
         left.check == right.check;
}

/// None of a recovery key: it opens what was made by a key of either source.
KeySource source_of(const BackupKey& key) {
  switch (key.kind()) {
    case BackupKey::Kind::key_file:
      return KeySource::key_file;
    case BackupKey::Kind::passphrase:
      return KeySource::scrypt;
    case BackupKey::Kind::recovery:
      break;
  }
  return KeySource::none;
}

bool is_of(const Secret& master, const KeyFacts& facts) {
  return equal_constant_time(check_of(master, facts.salt), facts.check);
}

bool holds_recovery_key(const BackupKey& key) {
  return key.kind() == BackupKey::Kind::recovery || std::ranges::any_of(key.others(), &holds_recovery_key);
}

Secret master_from(const BackupKey& key, const KeyFacts& facts) {
  return facts.source == KeySource::scrypt
             ? crypto::scrypt(key.secret(), facts.salt, facts.cost, derived_key_bytes)
             : Secret::copy_of(key.secret().reveal());
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

std::vector<const BackupKey*> Keyring::keys_of_source(KeySource source) const {
  std::vector<const BackupKey*> keys;
  if (key_ == nullptr) return keys;
  if (source_of(*key_) == source) keys.push_back(key_);
  for (const BackupKey& other : key_->others()) {
    if (source_of(other) == source) keys.push_back(&other);
  }
  return keys;
}

std::optional<Secret> Keyring::try_key(const BackupKey& key, const KeyFacts& facts) {
  const bool is_known_misfit = std::ranges::any_of(
      misfits_, [&](const Misfit& one) { return one.key == &key && is_same_master(one.facts, facts); });
  const bool is_dear = facts.source == KeySource::scrypt;
  if (is_known_misfit || (is_dear && misfits_of_passphrases_ >= misfits_max)) return std::nullopt;
  Secret master = master_from(key, facts);
  if (is_of(master, facts)) return master;
  misfits_.push_back({facts, &key});
  if (is_dear) ++misfits_of_passphrases_;
  return std::nullopt;
}

Keyring::Master* Keyring::find_master(const KeyFacts& facts) {
  const auto known = std::ranges::find_if(
      masters_, [&](const Master& master) { return is_same_master(master.facts, facts); });
  if (known != masters_.end()) {
    opened_last_ = static_cast<std::size_t>(known - masters_.begin());
    return &*known;
  }
  for (const BackupKey* key : keys_of_source(facts.source)) {
    std::optional<Secret> master = try_key(*key, facts);
    if (master) return keep(facts, *std::move(master), *key);
  }
  for (const Recovered& one : recovered_) {
    if (is_of(one.master, facts)) return keep(facts, Secret::copy_of(one.master.reveal()), *one.by);
  }
  return nullptr;
}

Keyring::Master* Keyring::keep(const KeyFacts& facts, Secret master, const BackupKey& made_of) {
  masters_.push_back({facts, std::move(master), &made_of});
  opened_last_ = masters_.size() - 1;
  return &masters_.back();
}

std::optional<Secret> Keyring::copy_of_master(const KeyFacts& facts) {
  const Master* found = find_master(facts);
  if (found == nullptr) return std::nullopt;
  return Secret::copy_of(found->key.reveal());
}

bool Keyring::is_one_master(const KeyFacts& one, const KeyFacts& other) {
  const Master* found = find_master(one);
  return found != nullptr && is_of(found->key, other);
}

KeyFacts Keyring::new_key_facts(Random& random) {
  KeyFacts facts;
  if (key_ == nullptr) return facts;
  const Master* opened = opened_last_ ? &masters_[*opened_last_] : nullptr;
  const BackupKey* key = opened != nullptr ? opened->made_of : key_;
  const bool is_recovered = key->kind() == BackupKey::Kind::recovery;
  if (opened != nullptr && (is_recovered || opened->facts.source != KeySource::scrypt ||
                            is_same_cost(opened->facts.cost, cost_of_new_keys))) {
    return opened->facts;
  }
  if (is_recovered) {
    throw DeniedError("the recovery key opens none of the backups here, so nothing can be encrypted for it",
                      "Give the key itself by --passphrase-file FILE or --key-file FILE.");
  }
  facts.source = source_of(*key);
  if (facts.source == KeySource::scrypt) facts.cost = cost_of_new_keys;
  random.fill(facts.salt);
  Secret master = master_from(*key, facts);
  facts.check = check_of(master, facts.salt);
  masters_.push_back({facts, std::move(master), key});
  return facts;
}

std::optional<crypto::Sha256Digest> Keyring::code_of(const KeyFacts& facts, Authenticated what,
                                                     ByteView text) {
  Master* master = find_master(facts);
  if (master == nullptr) return std::nullopt;
  Secret& key = master->of_codes[static_cast<std::size_t>(what)];
  if (key.empty()) {
    const std::string_view purpose =
        what == Authenticated::manifest ? "nerve backup manifest" : "nerve backup catalogue";
    key = crypto::hkdf_sha256(master->key.reveal(), facts.salt, purpose, derived_key_bytes);
  }
  return crypto::HmacSha256(key.reveal()).update(text).finish();
}

ContainerKeys Keyring::keys_of(const ContainerHeader& header, std::string_view name) {
  ContainerKeys keys;
  if (!header.is_encrypted()) {
    keys.hash_key = Secret::copy_of(header.hash_salt);
    return keys;
  }
  const bool is_given = !keys_of_source(header.key.source).empty();
  const bool has_recovery_key = key_ != nullptr && holds_recovery_key(*key_);
  if (!is_given && !has_recovery_key) throw_no_key(header.key.source, name);
  const Master* found = find_master(header.key);
  if (found == nullptr && !is_given) {
    throw DeniedError(
        fmt::format("{} does not open with the recovery key", name),
        "It is one of another repository, was revoked, or was made for another key. See for which keys "
        "there are some: nerve-db backup recovery-key --list.");
  }
  if (found == nullptr) {
    throw DeniedError(fmt::format("{} is encrypted with another {}", name,
                                  header.key.source == KeySource::scrypt ? "passphrase" : "key file"),
                      "Give the one that was used when its first full backup was made. If it is the one, the "
                      "file was altered.");
  }
  const Secret& master = found->key;
  keys.data_key =
      crypto::hkdf_sha256(master.reveal(), header.backup_salt, "nerve backup data", derived_key_bytes);
  keys.seal_key =
      crypto::hkdf_sha256(master.reveal(), header.backup_salt, "nerve backup seal", derived_key_bytes);
  keys.hash_key =
      crypto::hkdf_sha256(master.reveal(), header.hash_salt, "nerve backup page hash", Salt16().size());
  return keys;
}

}  // namespace nerve::backups
