// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nerve::cli {

/// Who runs the command, "user@host", for what is kept of changes.
std::string current_actor();

}  // namespace nerve::cli
