// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace nerve {

/// A JSON value. Sources that look inside include <nlohmann/json.hpp> themselves; headers do with this
/// declaration.
using Json = nlohmann::json;

/// Arrays and objects nest no deeper than this, read or written: a deeper value would exhaust the stack of
/// those who walk it.
inline constexpr std::size_t json_depth_max = 256;

/// Reads one JSON document (RFC 8259). Throws ValidationError "NAME:LINE:COLUMN: …" for what is not JSON,
/// invalid UTF-8, an object with the same key twice, a number beyond the range of double, and nesting deeper
/// than json_depth_max. Columns count bytes from 1; the message holds nothing of `text`. Integers beyond 64
/// bits become doubles.
Json parse_json(std::string_view text, std::string_view name);

/// The one text of a value, fit for hashing: RFC 8785 (JSON Canonicalization Scheme): no spaces, keys in the
/// order of their UTF-16 code units, the shortest escapes, numbers as ECMAScript writes them.
///
/// One difference: an integer of 64 bits is written with all its digits where RFC 8785 would round it to a
/// double, so what is beyond ±2^53 is canonical among NERVE's own texts only. Throws ValidationError for text
/// that is not UTF-8, for a number that is not finite, for binary values, and beyond json_depth_max.
std::string to_canonical_text(const Json& value);

}  // namespace nerve
