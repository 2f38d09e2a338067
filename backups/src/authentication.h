// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"

#include "nerve/backups/manifest.h"

#include <optional>
#include <string>
#include <string_view>

/// Manifests that prove who made them: the backups of an encrypted database name the key of their container,
/// and hold a code under it (docs/backup_repository.md, "Authentication").
namespace nerve::backups {

/// A key as text: where it comes from, and by what it is known again. It says nothing that the header of a
/// container does not.
std::string key_text(const KeyFacts& facts);

/// The key that a text of key_text() is of; absent for a text that no key is of.
std::optional<KeyFacts> key_facts_from(std::string_view text);

/// The code of what has this SHA-256 (as hex), as lower-case hex; absent where no key of the keyring is the
/// one, or the text names none that can be.
std::optional<std::string> code_of(std::string_view key, Authenticated what, std::string_view content_sha256,
                                   Keyring& keyring);

/// Whether `code` is the code that code_of() gives.
bool is_code_of(std::string_view code, std::string_view key, Authenticated what,
                std::string_view content_sha256, Keyring& keyring);

/// Gives a manifest that names a key its code, where it has none yet. Throws DeniedError where the keyring is
/// null or does not have the key.
void authenticate(Manifest& manifest, Keyring* keyring);

/// Why a manifest does not prove that it was made by who has the key; empty where it does.
std::string reason_to_doubt(const Manifest& manifest, Keyring& keyring);

}  // namespace nerve::backups
