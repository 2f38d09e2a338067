// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/key.h"

#include "recovery_text.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::backups {
namespace {

constexpr std::size_t key_bytes = 32;

int digit_of(std::byte letter) {
  const auto character = static_cast<char>(letter);
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

/// Empty where `text` is not 64 digits. Nothing is kept on the way that would have to be wiped.
Secret from_digits(ByteView text) {
  if (text.size() != 2 * key_bytes) return {};
  if (std::ranges::any_of(text, [](std::byte letter) { return digit_of(letter) < 0; })) return {};
  Secret key(key_bytes);
  for (std::size_t index = 0; index < key_bytes; ++index) {
    key.writable()[index] =
        static_cast<std::byte>(digit_of(text[2 * index]) * 16 + digit_of(text[2 * index + 1]));
  }
  return key;
}

}  // namespace

BackupKey BackupKey::of_passphrase(Secret passphrase) {
  if (passphrase.empty()) throw ValidationError("the passphrase is empty", "Give one that is hard to guess.");
  return {Kind::passphrase, std::move(passphrase)};
}

BackupKey BackupKey::from_file(const std::filesystem::path& path) {
  return of_content(Secret::from_file(path), path);
}

BackupKey BackupKey::from_credential(const std::filesystem::path& path) {
  return of_content(Secret::from_credential(path), path);
}

BackupKey BackupKey::of_recovery_text(const Secret& text) {
  return {Kind::recovery, recovery_key_from(text)};
}

BackupKey BackupKey::of_content(Secret content, const std::filesystem::path& path) {
  if (Secret key = from_digits(content.reveal()); !key.empty()) return {Kind::key_file, std::move(key)};
  // Of a key that ends in the byte of a newline, that byte was taken for one.
  std::error_code error;
  if (content.size() == key_bytes - 1 && std::filesystem::file_size(path, error) == key_bytes) {
    Secret key(key_bytes);
    std::ranges::copy(content.reveal(), key.writable().begin());
    key.writable().back() = std::byte{'\n'};
    return {Kind::key_file, std::move(key)};
  }
  if (content.size() == key_bytes) return {Kind::key_file, std::move(content)};
  throw ValidationError(
      fmt::format("{} is not a key file: it holds neither 32 bytes nor 64 hexadecimal digits", path.string()),
      "Make one with: (umask 077; openssl rand -hex 32 > KEY-FILE). Keep a copy where the backups "
      "are not.");
}

}  // namespace nerve::backups
