// SPDX-License-Identifier: Apache-2.0
#include "exit_codes.h"

#include <array>

namespace nerve::cli {

namespace {

constexpr std::array meanings = {
    ExitCodeMeaning{ExitCode::ok, "done"},
    ExitCodeMeaning{ExitCode::failure, "it failed for a reason without a code of its own"},
    ExitCodeMeaning{ExitCode::usage, "a command, option, setting or URL is wrong"},
    ExitCodeMeaning{ExitCode::not_found, "what was named does not exist"},
    ExitCodeMeaning{ExitCode::conflict, "it exists already, is in use, or changed meanwhile"},
    ExitCodeMeaning{ExitCode::denied, "the system does not permit it"},
    ExitCodeMeaning{ExitCode::integrity, "data is damaged or was altered, or is no database"},
    ExitCodeMeaning{ExitCode::unavailable, "a server, a lock or space cannot be had now; try later"},
    ExitCodeMeaning{ExitCode::pending_migrations, "the schema is behind the program"},
    ExitCodeMeaning{ExitCode::drift, "the schema is not what its migrations made"},
    ExitCodeMeaning{ExitCode::partial, "a part was done; the report says which"},
    ExitCodeMeaning{ExitCode::unsupported, "this engine or version cannot do it"},
    ExitCodeMeaning{ExitCode::cancelled, "interrupted, or the question was not answered with yes"},
};

}  // namespace

std::span<const ExitCodeMeaning> exit_code_meanings() noexcept {
  return meanings;
}

ExitCode exit_code_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::failure:
      return ExitCode::failure;
    case ErrorKind::invalid:
      return ExitCode::usage;
    case ErrorKind::not_found:
      return ExitCode::not_found;
    case ErrorKind::conflict:
      return ExitCode::conflict;
    case ErrorKind::denied:
      return ExitCode::denied;
    case ErrorKind::integrity:
      return ExitCode::integrity;
    case ErrorKind::unavailable:
      return ExitCode::unavailable;
    case ErrorKind::unsupported:
      return ExitCode::unsupported;
    case ErrorKind::pending_migrations:
      return ExitCode::pending_migrations;
    case ErrorKind::drift:
      return ExitCode::drift;
    case ErrorKind::partial:
      return ExitCode::partial;
    case ErrorKind::cancelled:
      return ExitCode::cancelled;
  }
  return ExitCode::failure;
}

}  // namespace nerve::cli
