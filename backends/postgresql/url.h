// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backends {

/// `postgresql://[user@]host[:port][,host2[:port2]…]/database[?setting=value…]`, taken apart.
struct PostgresqlUrl {
  struct Host {
    std::string name;  ///< a name, an address, or the folder of a Unix socket; empty: the default socket
    std::string port;  ///< empty: the default port
    bool is_local() const;
  };

  std::string user;
  std::vector<Host> hosts;
  std::string database;
  std::map<std::string, std::string> settings;

  /// The whole without what could be secret, for messages.
  std::string display_name() const;
  /// The whole as a URL that libpq reads, hosts as settings.
  std::string to_url() const;
  /// How long to connect at most: what the URL says, else the options; 0 for without end.
  std::chrono::seconds connect_timeout(const OpenOptions& options) const;
  /// keyword='value' pairs for libpq, with NERVE's defaults: verify-full for hosts that are not this machine.
  /// `startup_options` are settings of the session, as `options` takes them; without any PGOPTIONS counts.
  std::string conninfo(const OpenOptions& options, const std::string& startup_options = {}) const;
};

/// Throws ValidationError that names what is wrong; a password in the URL is refused without being repeated.
PostgresqlUrl parse_postgresql_url(std::string_view url);

}  // namespace nerve::backends
