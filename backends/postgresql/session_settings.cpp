// SPDX-License-Identifier: Apache-2.0
#include "postgresql/session_settings.h"

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

/// Everything in it is named with its schema, operators as well: until it has run, any schema may come first.
constexpr std::string_view path_sql = R"((
SELECT COALESCE(pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname), ', ' ORDER BY p.place)
                OPERATOR(pg_catalog.||) ', pg_temp', '')
FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS p(name, place)
JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) p.name
WHERE n.nspname OPERATOR(pg_catalog.<>) CAST('pg_catalog' AS pg_catalog.name)
  AND n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema()
  AND (n.nspname OPERATOR(pg_catalog.=) pg_catalog.current_schema()
       OR NOT EXISTS (
         SELECT 1 FROM pg_catalog.aclexplode(n.nspacl) AS a
         WHERE a.privilege_type OPERATOR(pg_catalog.=) CAST('CREATE' AS pg_catalog.text)
           AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner
           AND a.grantee OPERATOR(pg_catalog.<>)
               CAST(CAST(pg_catalog.quote_ident(CURRENT_USER) AS pg_catalog.regrole) AS pg_catalog.oid)))))";

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
  return fmt::format(
      "SELECT pg_catalog.set_config('search_path', {}, false), pg_catalog.set_config('timezone', 'UTC', "
      "false),"
      " pg_catalog.set_config('datestyle', 'ISO, YMD', false)"
      " WHERE pg_catalog.current_setting('nerve.session', true) OPERATOR(pg_catalog.=) '{}'",
      path_sql, random_);
}

std::string_view SessionSettings::search_path_sql() noexcept {
  return path_sql;
}

std::string SessionSettings::local_sql(std::string_view search_path) const {
  std::string sql;
  for (const Setting& setting : settings_) {
    // The transaction has begun already: BEGIN itself says what these would.
    if (setting.name.starts_with("default_transaction_")) continue;
    sql += fmt::format(";SET LOCAL {}={}", setting.name, literal(setting.value));
  }
  // A list of names, of which each is quoted where it has to be.
  return sql + ";SET LOCAL search_path=" + (search_path.empty() ? "''" : std::string(search_path));
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
