// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/error.h"

#include <new>
#include <system_error>
#include <typeinfo>

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

Error error_from(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return *error;
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return {ErrorKind::unavailable, "there is not enough memory", "Close other programs, then run it again."};
  }
  const auto* system = dynamic_cast<const std::system_error*>(&exception);
  return {ErrorKind::failure,
          system != nullptr ? "unexpected failure: " + system->code().message()
                            : std::string("unexpected failure of the kind ") + typeid(exception).name(),
          "This is a defect of the program: please report it."};
}

}  // namespace nerve
