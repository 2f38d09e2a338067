// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerve::convert {

/// Throws IntegrityError where the source is damaged: its rows would be gone without a word. Returns "TABLE:
/// why" of the tables that SQLite cannot check here. To be called before the session knows collations that
/// stand in for others, by which indexes would be in no order.
std::vector<std::string> require_sound(sqlite::Session& session, ProgressSink* progress);

/// `is_checked`: whether the source was to be checked, so that it can be left out.
[[noreturn]] void throw_damaged(const std::filesystem::path& source, bool is_checked,
                                const std::string& message);

/// Runs `work`; damage that it meets is thrown with what can be done for a conversion.
template <typename Work>
auto told_as_damage(const std::filesystem::path& source, bool is_checked, const Work& work)
    -> decltype(work()) {
  try {
    return work();
  } catch (const IntegrityError& error) {
    throw_damaged(source, is_checked, error.what());
  }
}

}  // namespace nerve::convert
