// SPDX-License-Identifier: Apache-2.0
#include "fuzz/sample_key.h"

#include "fuzz/fuzz_target.h"
#include "fuzz/scratch_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/kdf.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace nerve::fuzz {

const backups::BackupKey& sample_key() {
  static const backups::BackupKey key = [] {
    const std::filesystem::path path = scratch_folder() / "key";
    put_file(path, std::string(64, 'a'));
    require(::chmod(path.c_str(), 0600) == 0, "the key file can be kept from others");
    return backups::BackupKey::from_file(path);
  }();
  return key;
}

std::string sample_key_name() {
  const Bytes salt(16, std::byte{0x11});
  const Secret check =
      crypto::hkdf_sha256(sample_key().secret().reveal(), salt, "nerve backup key check", salt.size());
  return "key_file:" + to_hex(salt) + ":" + to_hex(check.reveal());
}

}  // namespace nerve::fuzz
