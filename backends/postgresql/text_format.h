// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/value.h"

#include <string>
#include <string_view>

namespace nerve::backends {

/// Appends a value as PostgreSQL's text input reads it: booleans t and f, bytes as \x and hexadecimal digits,
/// reals with the fewest digits that give the same value back. Not for NULL.
void append_text_format(const db::Value& value, std::string& text);

/// The octets of a bytea in hex output. False when `text` is not of that form.
bool decode_bytea(std::string_view text, std::string& octets);

}  // namespace nerve::backends
