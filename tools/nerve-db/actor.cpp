// SPDX-License-Identifier: Apache-2.0
#include "actor.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

namespace nerve::cli {

std::string current_actor() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const ::passwd* user = ::getpwuid(::geteuid());
  return fmt::format("{}@{}", user == nullptr ? std::to_string(::geteuid()) : std::string(user->pw_name),
                     host.data());
}

}  // namespace nerve::cli
