// SPDX-License-Identifier: Apache-2.0
#include "backup_key.h"

#include "confirm.h"

#include "nerve/arguments.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace nerve::cli {

namespace {

using backups::BackupKey;

BackupKey typed_passphrase(KeyUse use) {
  Secret passphrase = Secret::from_prompt("Passphrase of the backups: ");
  if (use == KeyUse::first) {
    const Secret again = Secret::from_prompt("The same again: ");
    if (!equal_constant_time(passphrase.reveal(), again.reveal())) {
      throw ValidationError("the two passphrases differ", "Start again and type the same one twice.");
    }
  }
  return BackupKey::of_passphrase(std::move(passphrase));
}

/// Where systemd put a credential; absent where it did not.
std::optional<std::filesystem::path> credential(std::string_view name) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  std::filesystem::path path = std::filesystem::path(folder) / name;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

}  // namespace

bool has_credential_key() {
  const bool has_passphrase = credential(passphrase_credential).has_value();
  const bool has_key = credential(key_credential).has_value();
  if (has_passphrase && has_key) {
    throw ValidationError(
        fmt::format("the credentials {} and {} are both given", passphrase_credential, key_credential),
        "Leave one LoadCredential= in the service.");
  }
  return has_passphrase || has_key;
}

std::vector<Argument> key_options() {
  return {
      {.name = "--passphrase-file",
       .value_name = "FILE",
       .type = ArgumentType::file,
       .description = "the passphrase of encrypted backups is in this file (else a credential of systemd,\n"
                      "else NERVE_PASSPHRASE, else asked)"},
      {.name = "--key-file",
       .value_name = "FILE",
       .type = ArgumentType::file,
       .description = "the key of encrypted backups is in this file: 32 bytes or 64 hexadecimal digits"}};
}

Argument recovery_key_option() {
  return {.name = "--recovery-key-file",
          .value_name = "FILE",
          .type = ArgumentType::file,
          .description = "the recovery key of encrypted backups is in this file (else NERVE_RECOVERY_KEY)"};
}

bool names_key(const Arguments& arguments) {
  constexpr std::array<std::string_view, 3> options = {"--passphrase-file", "--key-file",
                                                       "--recovery-key-file"};
  std::string_view named;
  for (const std::string_view option : options) {
    if (!arguments.has(option)) continue;
    if (!named.empty()) {
      throw ValidationError(fmt::format("{} and {} are both given", named, option), "Give one of them.");
    }
    named = option;
  }
  return !named.empty();
}

BackupKey required_key(const Output& output, const Arguments& arguments, KeyUse use) {
  names_key(arguments);
  if (const auto file = arguments.text("--key-file")) return BackupKey::from_file(*file);
  if (const auto file = arguments.text("--passphrase-file")) {
    return BackupKey::of_passphrase(Secret::from_file(*file));
  }
  if (const auto file = arguments.text("--recovery-key-file")) {
    return BackupKey::of_recovery_text(Secret::from_file(*file));
  }
  if (std::optional<BackupKey> key = passphrase_at_hand(output, use)) return *std::move(key);
  throw ValidationError(
      "the backup is encrypted, and no key is given",
      use == KeyUse::existing
          ? "Give it by --passphrase-file FILE, --key-file FILE, --recovery-key-file FILE or "
            "NERVE_PASSPHRASE."
          : "Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE.");
}

std::optional<BackupKey> environment_key() {
  if (has_credential_key()) {
    if (const auto file = credential(key_credential)) return BackupKey::from_credential(*file);
    return BackupKey::of_passphrase(Secret::from_credential(*credential(passphrase_credential)));
  }
  // They are taken out of the environment when they are read, and both stores of a workspace may need them.
  static const std::optional<Secret> passphrase = Secret::from_environment("NERVE_PASSPHRASE");
  static const std::optional<Secret> recovery_key = Secret::from_environment("NERVE_RECOVERY_KEY");
  if (passphrase && recovery_key) {
    throw ValidationError("NERVE_PASSPHRASE and NERVE_RECOVERY_KEY are both set", "Unset one of them.");
  }
  if (recovery_key) return BackupKey::of_recovery_text(*recovery_key);
  if (!passphrase) return std::nullopt;
  return BackupKey::of_passphrase(Secret::copy_of(passphrase->reveal()));
}

std::optional<BackupKey> passphrase_at_hand(const Output& output, KeyUse use) {
  if (std::optional<BackupKey> key = environment_key()) return key;
  if (can_ask(output)) return typed_passphrase(use);
  return std::nullopt;
}

}  // namespace nerve::cli
