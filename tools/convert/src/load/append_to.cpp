// SPDX-License-Identifier: Apache-2.0
#include "load/append_to.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

namespace nerve::convert {

void append_to(std::string_view what, Transactions transactions, const std::function<void()>& work) {
  try {
    work();
  } catch (const DatabaseError& error) {
    constexpr std::string_view integrity_class = "23";  // of SQLSTATE
    if (!error.code().starts_with(integrity_class)) throw;
    throw DatabaseError(
        error.kind(), fmt::format("cannot append to {}: {}", what, error.what()),
        transactions == Transactions::one
            ? "Nothing was written. Remove what is there twice or breaks the rule from one side."
            : "What was appended before stays. Take what is in the way out of the table, and the same "
              "command goes on; rows taken out of a table that has a part of the append already count as a "
              "difference. With --atomic nothing is left of an append that fails.",
        error.code());
  }
}

}  // namespace nerve::convert
