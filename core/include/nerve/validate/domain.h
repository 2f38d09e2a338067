// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::validate {

inline constexpr std::size_t domain_size_bytes_max =
    253;  ///< RFC 1035 §2.3.4, without the root label and its dot
inline constexpr std::size_t label_size_bytes_max = 63;  ///< RFC 1035 §2.3.4

/// A host's domain name in its two spellings. `ascii` is the canonical one, to store and to compare;
/// `unicode` is for people only, because different names may look alike in it.
struct Domain {
  std::string
      ascii;  ///< lower case, internationalised labels as A-labels ("xn--mnchen-3ya.de"), no trailing dot
  std::string unicode;  ///< the same name with U-labels ("münchen.de")

  bool operator==(const Domain& other) const { return ascii == other.ascii; }
};

struct DomainOptions {
  bool allow_single_label = false;  ///< accept "localhost"
};

/// Reads a host's domain name: letters, digits and hyphens (RFC 1035, RFC 1123 §2.1), internationalised
/// labels by IDNA2008 after the mapping of UTS 46 (non-transitional). One trailing dot is accepted and
/// removed. IP addresses, and names that end in a number and would be taken for one, are refused; so are
/// underscores, which belong to service names and not to hosts.
///
/// A-labels of code points that IDNA2008 does not allow (emoji) are accepted as A-labels, because such names
/// are registered and have to be recorded, and stay A-labels in `unicode`. Written in Unicode they are
/// refused.
///
/// Throws ValidationError with one violation that names the rule.
Domain parse_domain(std::string_view text, DomainOptions options = {});

/// The first rule that `text` breaks (its field is "domain"), or nothing.
std::optional<Violation> check_domain(std::string_view text, DomainOptions options = {});

bool is_valid_domain(std::string_view text, DomainOptions options = {});

}  // namespace nerve::validate
