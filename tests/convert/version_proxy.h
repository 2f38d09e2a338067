// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <thread>

namespace nerve::test {

/// Stands before a server and tells its clients another version of it, of as many characters: the report of
/// server_version is rewritten on its way, and all else passes.
class VersionProxy {
 public:
  /// Listens on a socket in `folder`, at port 5432. `socket` is the server's.
  VersionProxy(const std::filesystem::path& folder, std::filesystem::path socket, std::string version);
  VersionProxy(const VersionProxy&) = delete;
  VersionProxy& operator=(const VersionProxy&) = delete;
  ~VersionProxy();

 private:
  void serve();
  void serve_client(int client) const;

  std::filesystem::path socket_;
  std::string version_;
  int listener_ = -1;
  std::jthread thread_;
};

}  // namespace nerve::test
