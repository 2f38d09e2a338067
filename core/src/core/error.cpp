// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/error.h"

namespace nerve {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::failure:
      return "failure";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::denied:
      return "denied";
    case ErrorKind::integrity:
      return "integrity";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::pending_migrations:
      return "pending_migrations";
    case ErrorKind::drift:
      return "drift";
    case ErrorKind::partial:
      return "partial";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "failure";
}

}  // namespace nerve
