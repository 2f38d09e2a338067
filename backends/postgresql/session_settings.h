// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"

#include <string>
#include <string_view>
#include <vector>

namespace nerve::backends {

/// What a connection is set to, and how it is found out whether its session is its own.
///
/// A proxy that pools connections gives each transaction a session that others use before and afterwards: a
/// setting of the session would stay behind for them. So nothing is set after the fact. The settings come
/// with the request to connect, beside a random value in the setting `nerve.session`, and who reads that
/// value back has a server process of its own. Where a proxy refuses them, or the value is not there, every
/// transaction sets for itself what it needs, and ends that with itself.
class SessionSettings {
 public:
  explicit SessionSettings(const OpenOptions& options);

  /// The `options` of a conninfo: what PGOPTIONS says, then the settings and the random value.
  std::string startup_options() const;

  /// One statement with one row, which read_trusted_path() reads, where the session is the one that
  /// startup_options() made. The search_path is then what the row says, or where the schema that is current
  /// cannot be trusted, the server's own. It has no row, and sets nothing, where the session is another.
  std::string claim_sql() const;

  /// `;SET LOCAL …` for each but the search_path, to stand behind a BEGIN.
  std::string local_sql() const;

 private:
  struct Setting {
    std::string_view name;
    std::string value;
  };

  std::vector<Setting> settings_;
  std::string random_;
};

/// Whether libpq's words for a connection that failed say that the proxy or server takes no such settings, so
/// that it may be tried again without them.
bool is_refusal_of_options(std::string_view reason);

/// Throws UnsupportedError for what a shared session cannot do.
[[noreturn]] void throw_pooled(const std::string& database);

}  // namespace nerve::backends
