// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nerve::backends {

/// Throws ValidationError when a statement of the script controls the transaction (a COMMIT inside a script
/// would leave half of it applied) or changes the session behind the pool's back.
void require_no_transaction_control(std::string_view script);

}  // namespace nerve::backends
