// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/value.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace nerve::db {

std::string_view to_string(ValueType type) noexcept {
  switch (type) {
    case ValueType::null:
      return "null";
    case ValueType::integer:
      return "integer";
    case ValueType::real:
      return "real";
    case ValueType::boolean:
      return "boolean";
    case ValueType::text:
      return "text";
    case ValueType::bytes:
      return "bytes";
  }
  return "null";
}

Value Value::integer(std::int64_t value) noexcept {
  Value result;
  result.type_ = ValueType::integer;
  result.integer_ = value;
  return result;
}

Value Value::real(double value) noexcept {
  Value result;
  result.type_ = ValueType::real;
  result.real_ = value == 0 ? 0.0 : value;
  return result;
}

Value Value::boolean(bool value) noexcept {
  Value result;
  result.type_ = ValueType::boolean;
  result.integer_ = value ? 1 : 0;
  return result;
}

Value Value::borrowed_text(std::string_view value) noexcept {
  Value result;
  result.type_ = ValueType::text;
  result.borrowed_ = value;
  return result;
}

Value Value::owned_text(std::string value) noexcept {
  Value result;
  result.type_ = ValueType::text;
  result.owns_ = true;
  result.owned_ = std::move(value);
  return result;
}

Value Value::borrowed_bytes(std::span<const std::byte> value) noexcept {
  Value result;
  result.type_ = ValueType::bytes;
  result.borrowed_ = {reinterpret_cast<const char*>(value.data()), value.size()};
  return result;
}

Value Value::owned_bytes(std::string value) noexcept {
  Value result = owned_text(std::move(value));
  result.type_ = ValueType::bytes;
  return result;
}

bool operator==(const Value& left, const Value& right) noexcept {
  return left.type_ == right.type_ && left.integer_ == right.integer_ &&
         std::bit_cast<std::uint64_t>(left.real_) == std::bit_cast<std::uint64_t>(right.real_) &&
         left.as_octets() == right.as_octets();
}

Value Value::kept() const {
  Value result = *this;
  if (!owns_ && (type_ == ValueType::text || type_ == ValueType::bytes)) {
    result.owned_ = std::string(borrowed_);
    result.owns_ = true;
    result.borrowed_ = {};
  }
  return result;
}

Value kept_value(const Cell& cell, ValueType type) {
  if (cell.null) return {};
  switch (type) {
    case ValueType::null:
      return {};
    case ValueType::integer:
      return Value::integer(cell.integer);
    case ValueType::real:
      return Value::real(cell.real);
    case ValueType::boolean:
      return Value::boolean(cell.integer != 0);
    case ValueType::text:
      return Value::owned_text(std::string(cell.octets));
    case ValueType::bytes:
      return Value::owned_bytes(std::string(cell.octets));
  }
  return {};
}

namespace {

/// Whether text is plain ASCII without NUL, eight characters at a time; nearly all text is, so the full check
/// is rare.
bool is_plain_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t tops = 0x8080808080808080ULL;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    // A zero octet borrows into its top bit; an octet over 127 has it set.
    if ((((word - ones) | word) & tops) != 0) return false;
  }
  for (; at < text.size(); ++at) {
    if (static_cast<signed char>(text[at]) <= 0) return false;
  }
  return true;
}

}  // namespace

void require_bindable(const Value& value) {
  if (value.type() == ValueType::text && !is_plain_ascii(value.as_octets())) {
    if (value.as_octets().find('\0') != std::string_view::npos) {
      throw ValidationError("a text to be bound holds a NUL character",
                            "Bind it as bytes, or remove the NUL.");
    }
    if (!is_valid_utf8(value.as_octets())) {
      throw ValidationError("a text to be bound is not UTF-8", "Convert it to UTF-8, or bind it as bytes.");
    }
  }
  if (value.type() == ValueType::real && std::isnan(value.as_real())) {
    throw ValidationError("a real to be bound is not a number", "Bind NULL where a number is absent.");
  }
}

}  // namespace nerve::db
