// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nerve::db {

/// What passes between a program and a database. Everything else (ids, times, JSON, enums) is a Codec on top
/// of these.
enum class ValueType : std::uint8_t { null, integer, real, boolean, text, bytes };

/// "null", "integer", "real", "boolean", "text" or "bytes".
std::string_view to_string(ValueType type) noexcept;

/// A value to be bound. Text and bytes are borrowed where the caller keeps them for the length of the call,
/// and owned where an encoder made them.
class Value {
 public:
  Value() noexcept = default;  ///< NULL

  static Value integer(std::int64_t value) noexcept;
  /// Negative zero is bound as zero, because SQLite keeps no sign of it.
  static Value real(double value) noexcept;
  static Value boolean(bool value) noexcept;
  static Value borrowed_text(std::string_view value) noexcept;
  static Value owned_text(std::string value) noexcept;
  static Value borrowed_bytes(std::span<const std::byte> value) noexcept;
  static Value owned_bytes(std::string value) noexcept;

  ValueType type() const noexcept { return type_; }
  std::int64_t as_integer() const noexcept { return integer_; }
  double as_real() const noexcept { return real_; }
  bool as_boolean() const noexcept { return integer_ != 0; }
  /// The characters of a text or the octets of bytes.
  std::string_view as_octets() const noexcept { return owns_ ? std::string_view(owned_) : borrowed_; }

  friend bool operator==(const Value& left, const Value& right) noexcept;

  /// A copy that owns its octets and so may be kept.
  Value kept() const;

 private:
  ValueType type_ = ValueType::null;
  bool owns_ = false;
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::string_view borrowed_;
  std::string owned_;
};

/// One column of the row that is being read, already converted to the type that was asked for. `octets` is a
/// view into the engine's memory and is valid until the next row.
struct Cell {
  bool null = true;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view octets;
};

/// The value of a cell that was read as `type`; it owns its octets and so may be kept.
Value kept_value(const Cell& cell, ValueType type);

/// Throws ValidationError for what one of the engines would cut, refuse or change: text with a NUL or that is
/// not UTF-8, and a real that is not a number.
void require_bindable(const Value& value);

}  // namespace nerve::db
