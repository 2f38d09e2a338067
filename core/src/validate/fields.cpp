// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/fields.h"

#include "nerve/validate/domain.h"
#include "nerve/validate/email.h"
#include "nerve/validate/ip.h"
#include "nerve/validate/slug.h"
#include "nerve/validate/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::validate {

namespace {

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_host(std::string_view text) {
  return is_valid_domain(text) || is_valid_ip_address(text);
}

}  // namespace

void Fields::add(std::string_view field, Violation violation) {
  violation.field = field;
  violations_.push_back(std::move(violation));
}

void Fields::require(bool holds, std::string_view field, std::string_view rule, std::string_view message) {
  if (!holds) violations_.push_back({std::string(field), std::string(rule), std::string(message)});
}

std::string Fields::name(std::string_view field, std::string_view text, std::size_t length_max) {
  std::string clean;
  try {
    clean = sanitize_text(text);
  } catch (const ValidationError& error) {
    require(false, field, "text", error.what());
    return clean;
  }
  require(!clean.empty(), field, "required", "is empty");
  require(code_points(clean) <= length_max, field, "max_length",
          fmt::format("has more than {} characters", length_max));
  return clean;
}

std::string Fields::slug(std::string_view field, std::string_view text) {
  require(
      is_slug(text), field, "slug",
      fmt::format("must be lower-case letters, digits and single hyphens between them, at most {} characters",
                  slug_length_max));
  return std::string(text);
}

std::string Fields::domain(std::string_view field, std::string_view text) {
  if (auto violation = check_domain(text)) {
    add(field, std::move(*violation));
    return {};
  }
  return parse_domain(text).ascii;
}

std::string Fields::email(std::string_view field, std::string_view text) {
  if (auto violation = check_email(text)) {
    add(field, std::move(*violation));
    return {};
  }
  return parse_email(text).canonical();
}

std::optional<std::string> Fields::optional_domain(std::string_view field,
                                                   const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return domain(field, *text);
}

std::optional<std::string> Fields::optional_email(std::string_view field,
                                                  const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return email(field, *text);
}

std::string Fields::https_url(std::string_view field, std::string_view text, std::size_t length_max) {
  constexpr std::string_view scheme = "https://";
  require(text.starts_with(scheme), field, "https", "must begin with https://");
  require(text.size() <= length_max, field, "max_length",
          fmt::format("has more than {} characters", length_max));
  require(std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }), field, "url",
          "holds characters that a URL must escape");
  std::string_view host = text.substr(std::min(text.size(), scheme.size()));
  host = host.substr(0, host.find_first_of("/?#"));
  const std::size_t credentials_end = host.rfind('@');
  require(credentials_end == std::string_view::npos, field, "no_credentials", "holds a user or password");
  if (credentials_end != std::string_view::npos) host.remove_prefix(credentials_end + 1);
  const std::size_t port = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
  host = host.substr(0, port);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  require(is_host(host), field, "host", "names no host");
  return std::string(text);
}

void Fields::finish() const {
  if (violations_.empty()) return;
  throw ValidationError(fmt::format("the {} has fields that are not right", record_),
                        "Correct what is named; nothing was changed.", violations_);
}

}  // namespace nerve::validate
