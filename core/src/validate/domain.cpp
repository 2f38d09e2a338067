// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/domain.h"

#include "ascii.h"
#include "violation.h"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <memory>
#include <new>

namespace nerve::validate {
namespace {

// A name of 253 octets has fewer than 253 code points, each of at most four octets in UTF-8; what is longer
// cannot be one, and is not worth mapping.
constexpr std::size_t domain_input_size_bytes_max = 4 * domain_size_bytes_max;

// IDN2_USE_STD3_ASCII_RULES is left out on purpose: libidn2 2.3 answers it by deleting what the rules do not
// allow, so that "a_b.com" becomes "ab.com". What the mapping yields is tested against the
// letter-digit-hyphen rule here.
constexpr int idn_flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

struct IdnDeleter {
  void operator()(void* memory) const { idn2_free(memory); }
};

Violation broken_domain(std::string_view rule, std::string_view message) {
  return violation("domain", rule, message);
}

Violation idna_violation(int code) {
  if (code == IDN2_MALLOC) throw std::bad_alloc();
  if (code == IDN2_TOO_BIG_LABEL || code == IDN2_PUNYCODE_BIG_OUTPUT) {
    return broken_domain("label_length", "has a label longer than 63 octets");
  }
  if (code == IDN2_TOO_BIG_DOMAIN) return broken_domain("length", "is longer than 253 octets");
  return broken_domain("idna",
                       fmt::format("is not an internationalised domain name: {}", idn2_strerror(code)));
}

/// Maps to lower-case A-labels.
int map_to_ascii(const std::string& name, std::string& ascii) {
  std::uint8_t* mapped = nullptr;
  const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(name.c_str()), &mapped, idn_flags);
  const std::unique_ptr<std::uint8_t, IdnDeleter> owner(mapped);
  if (code == IDN2_OK) ascii = reinterpret_cast<const char*>(mapped);
  return code;
}

/// The U-label of a label in lower-case ASCII, in `unicode`.
///
/// An A-label whose code points IDNA2008 does not allow, or that are newer than the library's Unicode, may be
/// registered all the same (emoji are). It stays as it is, undecoded. One that is not the Punycode of
/// anything is refused.
std::optional<Violation> map_to_unicode(const std::string& label, std::string& unicode) {
  unicode = label;
  if (!label.starts_with("xn--")) return std::nullopt;
  std::string ascii;
  const int valid = map_to_ascii(label, ascii);
  if (valid == IDN2_DISALLOWED || valid == IDN2_UNASSIGNED) return std::nullopt;
  if (valid != IDN2_OK) return idna_violation(valid);
  if (ascii != label) return idna_violation(IDN2_ALABEL_ROUNDTRIP_FAILED);

  char* mapped = nullptr;
  const int code = idn2_to_unicode_8z8z(label.c_str(), &mapped, idn_flags);
  const std::unique_ptr<char, IdnDeleter> owner(mapped);
  if (code != IDN2_OK) return idna_violation(code);
  unicode = mapped;
  return std::nullopt;
}

std::optional<Violation> check_label(std::string_view label) {
  if (label.empty()) return broken_domain("label_empty", "has an empty label");
  if (label.size() > label_size_bytes_max)
    return broken_domain("label_length", "has a label longer than 63 octets");
  if (label.front() == '-' || label.back() == '-') {
    return broken_domain("label_hyphen", "has a label that starts or ends with a hyphen");
  }
  const bool clean =
      std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
  if (!clean)
    return broken_domain("label_characters", "has something other than letters, digits, hyphens and dots");
  return std::nullopt;
}

/// Programs that read addresses generously take a last label of "1", "017" or "0x7f" for a number, and the
/// name with it for an IPv4 address.
bool reads_as_number(std::string_view label) {
  if (std::all_of(label.begin(), label.end(), is_digit)) return true;
  if (!label.starts_with("0x")) return false;
  return std::all_of(label.begin() + 2, label.end(), is_hex_digit);
}

std::optional<Violation> read_labels(std::string_view name, DomainOptions options, Domain& domain) {
  if (name.size() > domain_size_bytes_max) return broken_domain("length", "is longer than 253 octets");
  std::size_t count = 0;
  std::string label;
  std::string u_label;
  for (std::size_t start = 0; start <= name.size(); start += label.size() + 1) {
    label = name.substr(start, std::min(name.find('.', start), name.size()) - start);
    if (auto found = check_label(label)) return found;
    if (auto found = map_to_unicode(label, u_label)) return found;
    domain.unicode += (count == 0 ? "" : ".") + u_label;
    ++count;
  }
  if (reads_as_number(label)) {
    return count == 4 ? broken_domain("ip_address", "is an IP address where a name is wanted")
                      : broken_domain("top_level_numeric", "ends in a label that reads as a number");
  }
  if (count < 2 && !options.allow_single_label) return broken_domain("label_count", "has only one label");
  domain.ascii = name;
  return std::nullopt;
}

std::optional<Violation> read_domain(std::string_view text, DomainOptions options, Domain& domain) {
  if (text.empty()) return broken_domain("empty", "is empty");
  if (text.size() > domain_input_size_bytes_max) return broken_domain("length", "is longer than 253 octets");
  if (text.find('\0') != std::string_view::npos)
    return broken_domain("label_characters", "has a NUL character");
  if (text.find(':') != std::string_view::npos || text.front() == '[') {
    return broken_domain("ip_address", "is an IP address or has a port where only a name is wanted");
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), to_lower);
  if (!std::all_of(name.begin(), name.end(), is_ascii)) {
    const int code = map_to_ascii(std::string(name), name);
    if (code != IDN2_OK) return idna_violation(code);
  }
  if (name.ends_with('.')) name.pop_back();
  return read_labels(name, options, domain);
}

}  // namespace

Domain parse_domain(std::string_view text, DomainOptions options) {
  Domain domain;
  if (auto found = read_domain(text, options, domain)) {
    throw_violation(std::move(*found),
                    "Give a host's name such as example.org, without scheme, port or path.");
  }
  return domain;
}

std::optional<Violation> check_domain(std::string_view text, DomainOptions options) {
  Domain ignored;
  return read_domain(text, options, ignored);
}

bool is_valid_domain(std::string_view text, DomainOptions options) {
  return !check_domain(text, options);
}

}  // namespace nerve::validate
