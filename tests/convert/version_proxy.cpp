// SPDX-License-Identifier: Apache-2.0
#include "convert/version_proxy.h"

#include "support/system_error.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace nerve::test {
namespace {

/// A Unix socket, and the address of a path for it.
struct Socket {
  explicit Socket(const std::filesystem::path& path)
      : descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (descriptor < 0) throw_errno("cannot make a socket");
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  }
  const sockaddr* target() const { return reinterpret_cast<const sockaddr*>(&address); }

  int descriptor;
  sockaddr_un address{};
};

/// The server sends its parameters in one piece, after the client is admitted.
void rewrite_version(std::string& bytes, const std::string& version) {
  constexpr std::string_view name("server_version\0", sizeof "server_version");
  const std::size_t place = bytes.find(name);
  if (place == std::string::npos) return;
  bytes.replace(place + name.size(), version.size(), version);
}

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

VersionProxy::VersionProxy(const std::filesystem::path& folder, std::filesystem::path socket,
                           std::string version)
    : socket_(std::move(socket)), version_(std::move(version)) {
  const Socket own(folder / ".s.PGSQL.5432");
  listener_ = own.descriptor;
  if (::bind(listener_, own.target(), sizeof own.address) != 0 || ::listen(listener_, 1) != 0)
    throw_errno("cannot listen");
  thread_ = std::jthread([this] { serve(); });
}

VersionProxy::~VersionProxy() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

/// One client after the other, until the listener is shut down.
void VersionProxy::serve() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    serve_client(client);
    ::close(client);
  }
}

void VersionProxy::serve_client(int client) const {
  const Socket server(socket_);
  if (::connect(server.descriptor, server.target(), sizeof server.address) == 0) {
    std::array<pollfd, 2> ends{{{.fd = client, .events = POLLIN, .revents = 0},
                                {.fd = server.descriptor, .events = POLLIN, .revents = 0}}};
    for (bool is_open = true; is_open && ::poll(ends.data(), ends.size(), -1) > 0;) {
      for (std::size_t i = 0; i < ends.size() && is_open; ++i) {
        if (ends[i].revents == 0) continue;
        std::string bytes(65'536, '\0');
        const ssize_t size = ::recv(ends[i].fd, bytes.data(), bytes.size(), 0);
        bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (i == 1) rewrite_version(bytes, version_);
        is_open = size > 0 && send_all(ends[1 - i].fd, bytes);
      }
    }
  }
  ::close(server.descriptor);
}

}  // namespace nerve::test
