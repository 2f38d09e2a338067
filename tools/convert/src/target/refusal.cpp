// SPDX-License-Identifier: Apache-2.0
#include "target/refusal.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nerve::convert {

bool is_refusal(const DatabaseError& error) {
  if (error.kind() == ErrorKind::denied) return false;
  // Classes of SQLSTATE; source: PostgreSQL manual, appendix A.
  constexpr std::array<std::string_view, 6> classes = {"0A", "22", "23", "42", "54", "2B"};
  return std::ranges::any_of(classes, [&](std::string_view one) { return error.code().starts_with(one); });
}

std::string refusal_of(postgresql::Session& session, const std::function<void()>& work) {
  session.execute("SAVEPOINT attempt");
  try {
    work();
  } catch (const DatabaseError& error) {
    if (!is_refusal(error)) throw;
    session.execute("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt");
    return error.what();
  }
  session.execute("RELEASE SAVEPOINT attempt");
  return {};
}

}  // namespace nerve::convert
