// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres_server.h"
#include "support/process.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::test {

/// What a proxy does with settings that come with the request to connect.
enum class StartupOptions { refused, ignored };

/// pgbouncer in front of a test's server: it pools transactions and has one connection for each database and
/// role, so that every client meets the session of the one before. It listens on a Unix socket in its own
/// folder and ends with this object, or with the test program. Unprivileged, since it refuses to run as root.
class Pooler {
 public:
  /// Throws std::runtime_error where pgbouncer does not start.
  explicit Pooler(const PostgresServer& server, StartupOptions options = StartupOptions::refused);
  Pooler(const Pooler&) = delete;
  Pooler& operator=(const Pooler&) = delete;
  ~Pooler();

  /// Whether the package pgbouncer is there; a test without it ends with a word.
  static bool is_installed();

  /// The URL of a database of the server through it.
  std::string url(std::string_view database, std::string_view role = "postgres") const;

 private:
  std::filesystem::path folder_;
  std::optional<Process> process_;
};

}  // namespace nerve::test
