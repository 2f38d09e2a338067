// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/database_url.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace nerve {

namespace {

constexpr std::string_view forms = "Use a path, sqlite:PATH, or postgresql://user@host/database.";

/// What stands before the first colon, in lower case, where it has the form of a scheme (RFC 3986 §3.1).
std::string scheme_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::string scheme(text.substr(0, colon));
  const bool well_formed = std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  });
  if (!well_formed) return {};
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme;
}

/// libpq's other form, as in `host=db user=anna`: taken for a path it would be shown in messages.
bool is_key_value_form(std::string_view text) {
  constexpr std::array keys = {"host=", "hostaddr=", "port=", "dbname=", "user=", "password=", "service="};
  return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) { return text.starts_with(key); });
}

}  // namespace

DatabaseUrl parse_database_url(std::string_view text) {
  if (text.empty()) throw ValidationError("the name of the database is empty", std::string(forms));
  if (is_key_value_form(text)) {
    throw ValidationError(
        "the database is given as key=value pairs",
        "Write it as postgresql://user@host/database, or as ./FILE if a file has this name.");
  }
  const std::string scheme = scheme_of(text);
  const std::string_view rest = scheme.empty() ? text : text.substr(scheme.size() + 1);
  const bool has_authority = rest.starts_with("//");
  if (scheme == "postgresql" || scheme == "postgres") {
    if (has_authority) return {db::Dialect::postgresql, scheme + ":" + std::string(rest)};
    throw ValidationError("the PostgreSQL URL has no // behind its scheme",
                          "Write it as postgresql://user@host/database.");
  }
  if (scheme == "sqlite") {
    // Elsewhere sqlite:///x means a relative path, here it would be an absolute one: neither is guessed.
    if (has_authority)
      throw ValidationError("an SQLite URL has no // behind its scheme", "Write it as sqlite:PATH.");
    if (rest.empty()) throw ValidationError("the SQLite URL names no file", "Write it as sqlite:PATH.");
    return {db::Dialect::sqlite, std::string(rest)};
  }
  if (!scheme.empty() && has_authority) {
    throw ValidationError("databases of the scheme " + scheme + ":// are not known", std::string(forms));
  }
  return {db::Dialect::sqlite, std::string(text)};
}

}  // namespace nerve
