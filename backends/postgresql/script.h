// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nerve::backends {

/// Throws ValidationError when a statement of the script begins with a word of transaction control: a COMMIT
/// inside a script would leave half of it applied. Knows PostgreSQL's quotes (also dollar quotes) and nested
/// comments.
void require_no_transaction_control(std::string_view script);

}  // namespace nerve::backends
