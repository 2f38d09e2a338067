// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <optional>
#include <string>
#include <string_view>

namespace nerve::validate {

/// Reads an absolute https URL (RFC 3986 §3, RFC 9110 §4.2.2) and returns it with its scheme and host in
/// their canonical form; port, path, query and fragment stay as they are.
///
/// The host is a domain (domain.h), an IPv4 address or an IPv6 address in brackets. A user or password in it
/// is refused, because it would be written to logs; so is every character that a URL must escape, which also
/// keeps line ends out of a request. How long it may be is the business of whoever keeps it.
///
/// Throws ValidationError with one violation that names the rule. Whether anything answers there is not
/// asked, nor whether the host is one of this network: IpAddress::is_global() says that of an address.
std::string parse_https_url(std::string_view text);

/// The first rule that `text` breaks (its field is "url"), or nothing.
std::optional<Violation> check_https_url(std::string_view text);

bool is_valid_https_url(std::string_view text);

}  // namespace nerve::validate
