// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::validate {

inline constexpr std::size_t email_local_size_bytes_max = 64;  ///< RFC 5321 §4.5.3.1.1
inline constexpr std::size_t email_size_bytes_max = 254;  ///< RFC 5321 §4.5.3.1.3, less the angle brackets

/// A mailbox as it is sent to: local part, "@", domain.
struct EmailAddress {
  std::string
      local;  ///< as it was given, quotes included: only the receiving host may say that two are the same
  std::string domain_ascii;  ///< canonical A-labels, or a canonical address literal in brackets

  /// The form to store and to compare.
  std::string canonical() const { return local + "@" + domain_ascii; }

  bool operator==(const EmailAddress&) const = default;
};

struct EmailOptions {
  bool allow_address_literal = false;  ///< accept user@[192.0.2.1] and user@[IPv6:2001:db8::1]
  bool allow_utf8_local = false;       ///< accept non-ASCII local parts, for servers with SMTPUTF8 (RFC 6531)
};

/// Reads one bare address: a dot-atom or quoted string (RFC 5322 §3.4.1, within the limits of RFC 5321) at a
/// domain (domain.h) or, where allowed, an address literal. Display names, comments and folding white space
/// are refused, and so is every control character, quoted or not: a CR or LF would let the address add header
/// lines to a message.
///
/// Throws ValidationError with one violation that names the rule. A valid address need not exist.
EmailAddress parse_email(std::string_view text, EmailOptions options = {});

/// The first rule that `text` breaks (its field is "email"), or nothing.
std::optional<Violation> check_email(std::string_view text, EmailOptions options = {});

bool is_valid_email(std::string_view text, EmailOptions options = {});

}  // namespace nerve::validate
