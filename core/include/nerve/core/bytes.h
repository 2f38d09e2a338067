// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The octets of a text, borrowed.
inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Octets seen as characters, borrowed. Nothing is checked: they need not be UTF-8.
inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Two lower-case hexadecimal digits for each byte.
std::string to_hex(ByteView bytes);

/// Reads what to_hex() writes; upper-case digits will do. Throws ValidationError at an odd length or a
/// foreign character.
Bytes from_hex(std::string_view text);

/// base64url without padding (RFC 4648 §5).
std::string to_base64url(ByteView bytes);

/// Reads what to_base64url() writes and nothing else: padding, white space, the `+/` alphabet and unused bits
/// that are not zero are refused, so that each byte string has one text. Throws ValidationError.
Bytes from_base64url(std::string_view text);

/// Whether both hold the same bytes. Among views of one length, the time taken tells nothing of where they
/// differ; a different length is told at once.
bool equal_constant_time(ByteView left, ByteView right) noexcept;

}  // namespace nerve
