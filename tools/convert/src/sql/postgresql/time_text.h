// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/postgresql/value.h"

#include <optional>
#include <string>
#include <string_view>

namespace nerve::convert::sql {

bool is_epoch(TimeForm form) noexcept;

/// The strftime() format that writes this form; empty for `unknown` and the epochs.
std::string_view format_of(TimeForm form) noexcept;

/// The form that a text has; `unknown` where it has none, or names no day or time that there is.
TimeForm form_of(std::string_view text) noexcept;

/// A column of a known form as the text that the source holds.
Value time_text(const Value& time, const Context& context);

/// What strftime(format, time) gives, for a column of a known form, or an epoch that the caller has taken
/// 'unixepoch' for.
Value formatted_time(const Value& time, std::string_view format, const Context& context, std::size_t offset);

/// The seconds or milliseconds that the source holds.
Value epoch_integer(const Value& time);

/// The present time in UTC as a timestamp.
Value present_time(std::size_t offset);

/// A text of this form as a literal of the type: '2020-01-01'::date. Nothing where the type cannot hold it as
/// it is.
std::optional<std::string> time_literal(std::string_view text, TargetType type);

}  // namespace nerve::convert::sql
