// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/secret.h"

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

namespace nerve::backups {

/// What encrypts backups and opens them again: a passphrase, or the 32 bytes of a key file. A recovery key
/// only opens them (nerve/backups/recovery.h).
class BackupKey {
 public:
  enum class Kind : std::uint8_t { key_file = 1, passphrase = 2, recovery = 3 };

  static BackupKey of_passphrase(Secret passphrase);

  /// A file of 32 bytes, or of 64 hexadecimal digits with or without a newline. Throws ValidationError for
  /// any other content, and what Secret::from_file throws.
  static BackupKey from_file(const std::filesystem::path& path);

  /// The same for a file that systemd hands over (LoadCredential=). Throws what Secret::from_credential
  /// throws.
  static BackupKey from_credential(const std::filesystem::path& path);

  /// The text that was printed when the recovery key was made, in capitals or not, with or without what
  /// separates its groups. Throws ValidationError for a typing error, which names the group where it can be
  /// told.
  static BackupKey of_recovery_text(const Secret& text);

  /// Another key, for backups that this one does not open; new ones are not made with it.
  void also_try(BackupKey other) { others_.push_back(std::move(other)); }

  Kind kind() const noexcept { return kind_; }
  const Secret& secret() const noexcept { return secret_; }
  const std::vector<BackupKey>& others() const noexcept { return others_; }

 private:
  static BackupKey of_content(Secret content, const std::filesystem::path& path);

  BackupKey(Kind kind, Secret secret) noexcept : kind_(kind), secret_(std::move(secret)) {}

  Kind kind_;
  Secret secret_;
  std::vector<BackupKey> others_;
};

}  // namespace nerve::backups
