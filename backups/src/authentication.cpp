// SPDX-License-Identifier: Apache-2.0
#include "authentication.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::string_view of_passphrase = "passphrase";
constexpr std::string_view of_key_file = "key_file";

std::optional<Salt16> salt_from(std::string_view hex) {
  Salt16 salt{};
  const bool is_hex = hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_hex || hex.size() != 2 * salt.size()) return std::nullopt;
  std::ranges::copy(from_hex(hex), salt.begin());
  return salt;
}

std::optional<std::uint8_t> number_from(std::string_view text) {
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':')) {
    parts.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

std::string key_text(const KeyFacts& facts) {
  const std::string salt = to_hex(facts.salt);
  const std::string check = to_hex(facts.check);
  if (facts.source == KeySource::key_file) return fmt::format("{}:{}:{}", of_key_file, salt, check);
  return fmt::format("{}:{}:{}:{}:{}:{}", of_passphrase, facts.cost.log2_n, facts.cost.r, facts.cost.p, salt,
                     check);
}

std::optional<KeyFacts> key_facts_from(std::string_view text) {
  constexpr std::size_t parts_of_key_file = 3;
  constexpr std::size_t parts_of_passphrase = 6;
  const std::vector<std::string_view> parts = parts_of(text);
  KeyFacts facts;
  if (parts.front() == of_key_file && parts.size() == parts_of_key_file) {
    facts.source = KeySource::key_file;
  } else if (parts.front() == of_passphrase && parts.size() == parts_of_passphrase) {
    const auto log2_n = number_from(parts[1]);
    const auto r = number_from(parts[2]);
    const auto p = number_from(parts[3]);
    if (!log2_n || !r || !p) return std::nullopt;
    facts.source = KeySource::scrypt;
    facts.cost = {*log2_n, *r, *p};
    if (!is_affordable(facts.cost)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  const auto salt = salt_from(parts[parts.size() - 2]);
  const auto check = salt_from(parts.back());
  if (!salt || !check) return std::nullopt;
  facts.salt = *salt;
  facts.check = *check;
  return facts;
}

std::optional<std::string> code_of(std::string_view key, Authenticated what, std::string_view content_sha256,
                                   Keyring& keyring) {
  const std::optional<KeyFacts> facts = key_facts_from(key);
  if (!facts) return std::nullopt;
  const auto code = keyring.code_of(*facts, what, as_bytes(content_sha256));
  if (!code) return std::nullopt;
  return to_hex(*code);
}

bool is_code_of(std::string_view code, std::string_view key, Authenticated what,
                std::string_view content_sha256, Keyring& keyring) {
  const std::optional<std::string> expected = code_of(key, what, content_sha256, keyring);
  return expected && equal_constant_time(as_bytes(*expected), as_bytes(code));
}

void authenticate(Manifest& manifest, Keyring* keyring) {
  if (!manifest.authentication || !manifest.authentication->code.empty()) return;
  Authentication& authentication = *manifest.authentication;
  authentication.content_sha256 = manifest.content_sha256();
  std::optional<std::string> code;
  if (keyring != nullptr) {
    code = code_of(authentication.key, Authenticated::manifest, authentication.content_sha256, *keyring);
  }
  if (!code) {
    throw DeniedError(fmt::format("the manifest of backup {} cannot be authenticated without its key",
                                  manifest.id.to_string()),
                      "Give the key by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE.");
  }
  authentication.code = *std::move(code);
}

std::string reason_to_doubt(const Manifest& manifest, Keyring& keyring) {
  if (!manifest.is_encrypted()) {
    return "it is not encrypted, so whoever may write to the repository could have made it";
  }
  if (!manifest.authentication) {
    return "its manifest is not authenticated: it was made by an older nerve-db, or by somebody without the "
           "key";
  }
  const Authentication& one = *manifest.authentication;
  const auto code = code_of(one.key, Authenticated::manifest, one.content_sha256, keyring);
  if (!code) return "its manifest is authenticated with another key";
  if (!equal_constant_time(as_bytes(*code), as_bytes(one.code))) {
    return "its manifest was altered by somebody without the key";
  }
  return {};
}

}  // namespace nerve::backups
