// SPDX-License-Identifier: Apache-2.0
#include "postgresql/session_settings.h"

#include "postgresql/schema_trust.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdlib>

namespace nerve::backends {

namespace {

/// As the server takes `options` apart: at spaces, unless a backslash stands before them.
std::string options_escaped(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == '\\' || std::isspace(static_cast<unsigned char>(c)) != 0) result += '\\';
    result += c;
  }
  return result;
}

std::string literal(std::string_view value) {
  std::string result = "'";
  for (const char c : value) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

}  // namespace

SessionSettings::SessionSettings(const OpenOptions& options)
    : settings_{{"timezone", "UTC"},
                {"datestyle", "ISO, YMD"},
                {"intervalstyle", "iso_8601"},
                {"bytea_output", "hex"},
                {"standard_conforming_strings", "on"},
                {"extra_float_digits", "3"},
                {"default_transaction_isolation", "read committed"},
                // A cursor is for results that are read to their end.
                {"cursor_tuple_fraction", "1"},
                {"statement_timeout", std::to_string(options.statement_timeout.count())},
                {"lock_timeout", std::to_string(options.lock_timeout.count())}} {
  if (options.read_only) settings_.push_back({"default_transaction_read_only", "on"});
  std::array<std::byte, 16> bytes{};
  system_random().fill(bytes);
  random_ = to_hex(bytes);
}

std::string SessionSettings::startup_options() const {
  std::string text;
  if (const char* first = std::getenv("PGOPTIONS"); first != nullptr) text = std::string(first) + " ";
  for (const Setting& setting : settings_)
    text += fmt::format("-c {}={} ", setting.name, options_escaped(setting.value));
  return text + "-c nerve.session=" + random_;
}

std::string SessionSettings::claim_sql() const {
  // Time zone and date style again: PGTZ and PGDATESTYLE of the environment come after the options.
  return trusted_path_sql(
      fmt::format(", pg_catalog.set_config('search_path', {}, false),"
                  " pg_catalog.set_config('timezone', 'UTC', false),"
                  " pg_catalog.set_config('datestyle', 'ISO, YMD', false)",
                  safe_path_expression()),
      fmt::format("pg_catalog.current_setting('nerve.session', true) OPERATOR(pg_catalog.=) '{}'", random_));
}

std::string SessionSettings::local_sql() const {
  std::string sql;
  for (const Setting& setting : settings_) {
    // The transaction has begun already: BEGIN itself says what these would.
    if (setting.name.starts_with("default_transaction_")) continue;
    sql += fmt::format(";SET LOCAL {}={}", setting.name, literal(setting.value));
  }
  return sql;
}

bool is_refusal_of_options(std::string_view reason) {
  std::string lower(reason);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto says = [&](std::string_view words) { return lower.find(words) != std::string::npos; };
  // Who is refused for a password must not try it twice, whatever the user is called.
  if (says("authentication failed")) return false;
  constexpr std::array words{"startup parameter",   "startup option",     "command-line option",
                             "command line option", "parameter: options", "parameter \"options\""};
  return std::ranges::any_of(words, says);
}

void throw_pooled(const std::string& database) {
  throw UnsupportedError(
      database + " is behind a proxy that pools connections, and this needs a session of its own",
      "Name the server itself in the URL, not the proxy (such as pgbouncer).");
}

}  // namespace nerve::backends
