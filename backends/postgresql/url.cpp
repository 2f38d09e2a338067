// SPDX-License-Identifier: Apache-2.0
#include "postgresql/url.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace nerve::backends {

namespace {

constexpr std::array known_settings{"application_name",
                                    "channel_binding",
                                    "connect_timeout",
                                    "gssencmode",
                                    "host",
                                    "port",
                                    "sslcert",
                                    "sslcrl",
                                    "sslkey",
                                    "sslmode",
                                    "sslrootcert",
                                    "target_session_attrs",
                                    "user"};
constexpr std::string_view system_certificates = "/etc/ssl/certs/ca-certificates.crt";

[[noreturn]] void fail(const std::string& what, std::string hint) {
  throw ValidationError("the PostgreSQL URL " + what, std::move(hint));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = std::tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      fail("has a % that is not followed by two hexadecimal digits", "Write a percent sign itself as %25.");
    }
    result += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return result;
}

/// Splits `text` at the first `separator`; the second part is empty where there is none.
std::pair<std::string_view, std::string_view> split(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<std::string_view> split_all(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

void require_port(const std::string& port) {
  const bool digits =
      std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (port.empty()) return;
  if (!digits || port.size() > 5 || std::stoi(port) < 1 || std::stoi(port) > 65535) {
    fail("has a port that is not a number from 1 to 65535", "Write it as host:5432.");
  }
}

PostgresqlUrl::Host parse_host(std::string_view text) {
  PostgresqlUrl::Host host;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos)
      fail("has an IPv6 address without its closing bracket", "Write it as [::1]:5432.");
    host.name = percent_decoded(text.substr(1, close - 1));
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':')
      fail("has characters behind an IPv6 address", "Write it as [::1]:5432.");
    host.port = rest.empty() ? "" : rest.substr(1);
  } else {
    const auto [name, port] = split(text, ':');
    host.name = percent_decoded(name);
    host.port = port;
  }
  require_port(host.port);
  return host;
}

void parse_settings(std::string_view query, PostgresqlUrl& url) {
  if (query.empty()) return;
  for (const std::string_view pair : split_all(query, '&')) {
    const auto [raw_name, raw_value] = split(pair, '=');
    const std::string name = percent_decoded(raw_name);
    if (name == "password" || name == "sslpassword" || name == "passfile") {
      fail("holds a password setting",
           "Put the password into a .pgpass file (database.password_file) or PGPASSWORD.");
    }
    if (std::find(known_settings.begin(), known_settings.end(), name) == known_settings.end()) {
      std::string known;
      for (const char* setting : known_settings) known += (known.empty() ? "" : ", ") + std::string(setting);
      fail("has a setting that is not known", "Known are: " + known + ".");
    }
    if (!url.settings.emplace(name, percent_decoded(raw_value)).second) {
      fail("has the setting " + name + " twice", "Remove one of them.");
    }
  }
}

/// host= and port= stand for the authority where it is empty, as libpq has it: needed for a socket's folder.
void take_hosts_from_settings(PostgresqlUrl& url) {
  const auto host = url.settings.extract("host");
  const auto port = url.settings.extract("port");
  if (host.empty() && port.empty()) return;
  const bool has_authority =
      url.hosts.size() > 1 || !url.hosts.front().name.empty() || !url.hosts.front().port.empty();
  if (has_authority) fail("names hosts twice", "Name them before the database, or with host= and port=.");
  const auto names = split_all(host.empty() ? std::string_view() : std::string_view(host.mapped()), ',');
  const auto ports = split_all(port.empty() ? std::string_view() : std::string_view(port.mapped()), ',');
  if (ports.size() != 1 && ports.size() != names.size()) {
    fail("has another number of ports than of hosts", "Give one port for all, or one for each host.");
  }
  url.hosts.clear();
  for (std::size_t index = 0; index < names.size(); ++index) {
    url.hosts.push_back(
        {std::string(names[index]), std::string(ports.size() == 1 ? ports[0] : ports[index])});
    require_port(url.hosts.back().port);
  }
}

/// An address in 127.0.0.0/8, not a name that begins like one.
bool is_loopback_v4(std::string_view name) {
  const bool is_address =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
  return is_address && name.starts_with("127.");
}

/// All but what RFC 3986 leaves unreserved.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        byte < 128 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~');
    if (is_plain) {
      result += c;
    } else {
      result += {'%', hex[byte >> 4U], hex[byte & 0xFU]};
    }
  }
  return result;
}

/// The hosts' names and ports, each with commas between them, as libpq takes them.
std::pair<std::string, std::string> joined_hosts(const PostgresqlUrl& url) {
  std::string names;
  std::string ports;
  for (const PostgresqlUrl::Host& host : url.hosts) {
    const char* separator = &host == &url.hosts.front() ? "" : ",";
    names += separator + host.name;
    ports += separator + host.port;
  }
  return {names, ports};
}

std::string conninfo_quoted(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

}  // namespace

bool PostgresqlUrl::Host::is_local() const {
  return name.empty() || name.front() == '/' || name.front() == '@' || name == "localhost" || name == "::1" ||
         is_loopback_v4(name);
}

std::string PostgresqlUrl::display_name() const {
  std::string text = "postgresql://";
  if (!user.empty()) text += user + "@";
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    if (index != 0) text += ',';
    text += hosts[index].name + (hosts[index].port.empty() ? "" : ":" + hosts[index].port);
  }
  return text + "/" + database;
}

std::string PostgresqlUrl::to_url() const {
  std::map<std::string, std::string> values = settings;
  const auto [names, ports] = joined_hosts(*this);
  const auto is_given = [](char c) { return c != ','; };
  if (std::ranges::any_of(names, is_given)) values.emplace("host", names);
  if (std::ranges::any_of(ports, is_given)) values.emplace("port", ports);
  std::string text = "postgresql://";
  if (!user.empty()) text += percent_encoded(user) + "@";
  text += "/" + percent_encoded(database);
  char separator = '?';
  for (const auto& [name, value] : values) {
    text += separator + name + "=" + percent_encoded(value);
    separator = '&';
  }
  return text;
}

std::chrono::seconds PostgresqlUrl::connect_timeout(const OpenOptions& options) const {
  const auto given = settings.find("connect_timeout");
  if (given == settings.end()) return options.connect_timeout;
  int seconds = 0;
  const char* end = given->second.data() + given->second.size();
  const auto [read_to, error] = std::from_chars(given->second.data(), end, seconds);
  // libpq says what is wrong with it.
  if (error != std::errc() || read_to != end) return options.connect_timeout;
  return std::chrono::seconds(std::max(seconds, 0));
}

std::string PostgresqlUrl::conninfo(const OpenOptions& options, const std::string& startup_options) const {
  std::map<std::string, std::string> values = settings;
  const auto [names, ports] = joined_hosts(*this);
  const bool local =
      std::all_of(hosts.begin(), hosts.end(), [](const Host& host) { return host.is_local(); });
  values.emplace("host", names);
  values.emplace("port", ports);
  if (!user.empty()) values.emplace("user", user);
  if (!database.empty()) values.emplace("dbname", database);
  values.emplace("application_name", "nerve");
  values.emplace("client_encoding", "UTF8");
  values.emplace("connect_timeout", std::to_string(options.connect_timeout.count()));
  if (!startup_options.empty()) values.emplace("options", startup_options);
  if (!options.password_file.empty()) values.emplace("passfile", options.password_file.string());
  if (!local && !values.contains("sslmode")) {
    values.emplace("sslmode", "verify-full");
    if (std::filesystem::exists(system_certificates)) values.emplace("sslrootcert", system_certificates);
  }
  std::string text;
  for (const auto& [name, value] : values)
    text += (text.empty() ? "" : " ") + name + "=" + conninfo_quoted(value);
  return text;
}

PostgresqlUrl parse_postgresql_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) fail("has no ://", "Write it as postgresql://user@host/database.");
  text.remove_prefix(scheme + 3);
  const auto [before_query, query] = split(text, '?');
  const auto [authority, database] = split(before_query, '/');

  PostgresqlUrl url;
  std::string_view hosts = authority;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
      fail("holds a password",
           "Remove it from the URL: use PGPASSWORD, ~/.pgpass or database.password_file in nerve.toml.");
    }
    url.user = percent_decoded(user);
    hosts = authority.substr(at + 1);
  }
  for (const std::string_view host : split_all(hosts, ',')) url.hosts.push_back(parse_host(host));
  url.database = percent_decoded(database);
  if (url.database.find('/') != std::string::npos)
    fail("has more than one name of a database", "Write one name behind the host.");
  parse_settings(query, url);
  take_hosts_from_settings(url);
  if (auto user = url.settings.extract("user"); !user.empty()) {
    if (!url.user.empty()) fail("names the user twice", "Name it before the host, or with user=.");
    url.user = user.mapped();
  }
  return url;
}

}  // namespace nerve::backends
