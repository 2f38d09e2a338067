// SPDX-License-Identifier: Apache-2.0
#include "load/encode.h"

#include "values/decimal.h"
#include "values/iso_time.h"
#include "values/json_text.h"
#include "values/number_text.h"
#include "values/uuid_text.h"

#include "nerve/core/text.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

namespace nerve::convert {
namespace {

using sqlite::StorageClass;

Misfit check_text(std::string_view text) noexcept {
  if (text.find('\0') != std::string_view::npos) return Misfit::nul;
  return is_valid_utf8(text) ? Misfit::none : Misfit::encoding;
}

bool is_longer(std::string_view text, int characters_max) noexcept {
  if (text.size() <= static_cast<std::size_t>(characters_max)) return false;
  const auto is_first = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return std::ranges::count_if(text, is_first) > characters_max;
}

/// One value on its way into one column.
class Encoder {
 public:
  Encoder(const sqlite::Value& value, const ColumnType& type, bool is_text_checked, RowBuffer& buffer)
      : value_(value),
        class_(value.storage_class),
        type_(type),
        is_text_checked_(is_text_checked),
        buffer_(buffer) {}

  Misfit encode();

 private:
  Misfit boolean();
  Misfit bigint();
  Misfit double_precision();
  Misfit numeric();
  Misfit text();
  Misfit bytea();
  Misfit time();
  Misfit json();
  Misfit uuid();

  Misfit text_field(std::string_view text);
  Misfit decimal_field(const Decimal& value);
  std::optional<std::int64_t> moment(Misfit& misfit) const;
  std::int64_t integer() const { return value_.integer; }
  double real() const { return value_.real; }

  const sqlite::Value& value_;
  StorageClass class_;
  const ColumnType& type_;
  bool is_text_checked_;
  RowBuffer& buffer_;
};

Misfit Encoder::encode() {
  if (class_ == StorageClass::null) {
    buffer_.null();
    return Misfit::none;
  }
  switch (type_.type) {
    case TargetType::boolean:
      return boolean();
    case TargetType::bigint:
      return bigint();
    case TargetType::double_precision:
      return double_precision();
    case TargetType::numeric:
      return numeric();
    case TargetType::text:
    case TargetType::varchar:
      return text();
    case TargetType::bytea:
      return bytea();
    case TargetType::date:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      return time();
    case TargetType::json:
      return json();
    case TargetType::uuid:
      return uuid();
  }
  return Misfit::storage_class;
}

Misfit Encoder::boolean() {
  if (class_ != StorageClass::integer) return Misfit::storage_class;
  const std::int64_t value = integer();
  if (value != 0 && value != 1) return Misfit::range;
  buffer_.fixed(static_cast<std::uint8_t>(value));
  return Misfit::none;
}

Misfit Encoder::bigint() {
  if (class_ != StorageClass::integer) return Misfit::storage_class;
  buffer_.fixed(static_cast<std::uint64_t>(integer()));
  return Misfit::none;
}

Misfit Encoder::double_precision() {
  double value = 0;
  if (class_ == StorageClass::real) {
    value = real();
  } else if (class_ == StorageClass::integer) {
    value = static_cast<double>(integer());
    if (!is_in_double(integer())) return Misfit::precision;
  } else {
    return Misfit::storage_class;
  }
  buffer_.fixed(std::bit_cast<std::uint64_t>(value));
  return Misfit::none;
}

Misfit Encoder::numeric() {
  if (class_ == StorageClass::integer) return decimal_field(to_decimal(integer()));
  if (class_ != StorageClass::real) return Misfit::storage_class;
  const double value = real();
  if (std::isinf(value)) {
    if (type_.precision > 0) return Misfit::range;
    append_numeric_infinity(value < 0, buffer_);
    return Misfit::none;
  }
  if (value == 0 && std::signbit(value)) return Misfit::precision;
  return decimal_field(to_decimal(value));
}

Misfit Encoder::decimal_field(const Decimal& value) {
  if (type_.precision > 0) {
    if (value.fraction_digits() > type_.scale) return Misfit::precision;
    if (value.integer_digits() > type_.precision - type_.scale) return Misfit::range;
  }
  append_numeric(value, buffer_);
  return Misfit::none;
}

Misfit Encoder::text_field(std::string_view text) {
  if (type_.type == TargetType::varchar && type_.length > 0 && is_longer(text, type_.length))
    return Misfit::length;
  buffer_.field(as_bytes(text));
  return Misfit::none;
}

Misfit Encoder::text() {
  switch (class_) {
    case StorageClass::integer:
      return text_field(number_text(integer()).view());
    case StorageClass::real:
      return text_field(number_text(real()).view());
    case StorageClass::text: {
      const std::string_view text = value_.octets;
      const Misfit misfit = is_text_checked_ ? Misfit::none : check_text(text);
      return misfit == Misfit::none ? text_field(text) : misfit;
    }
    default:
      return Misfit::storage_class;
  }
}

Misfit Encoder::bytea() {
  switch (class_) {
    case StorageClass::integer:
      buffer_.field(as_bytes(number_text(integer()).view()));
      return Misfit::none;
    case StorageClass::real:
      buffer_.field(as_bytes(number_text(real()).view()));
      return Misfit::none;
    default:
      buffer_.field(as_bytes(value_.octets));
      return Misfit::none;
  }
}

/// Microseconds since 2000-01-01.
std::optional<std::int64_t> Encoder::moment(Misfit& misfit) const {
  std::optional<std::int64_t> us;
  misfit = Misfit::storage_class;
  switch (type_.time) {
    case TimeForm::iso_text: {
      if (class_ != StorageClass::text) return std::nullopt;
      misfit = Misfit::syntax;
      const auto time = parse_iso_time(value_.octets);
      // A moment without a zone is no timestamptz, and one with a zone no timestamp.
      if (time && has_zone(time->form) == (type_.type == TargetType::timestamptz)) us = time->since_2000_us;
      return us;
    }
    case TimeForm::epoch_seconds:
      if (class_ != StorageClass::integer) return std::nullopt;
      us = from_epoch_seconds(integer());
      break;
    case TimeForm::epoch_milliseconds:
      if (class_ != StorageClass::integer) return std::nullopt;
      us = from_epoch_milliseconds(integer());
      break;
    case TimeForm::julian_day:
      if (class_ != StorageClass::real) return std::nullopt;
      us = from_julian_day(real());
      misfit = Misfit::precision;
      return us;
  }
  misfit = Misfit::range;
  return us;
}

Misfit Encoder::time() {
  Misfit misfit = Misfit::none;
  const std::optional<std::int64_t> us = moment(misfit);
  if (!us) return misfit;
  if (type_.type != TargetType::date) {
    buffer_.fixed(static_cast<std::uint64_t>(*us));
    return Misfit::none;
  }
  if (*us % us_of_day != 0) return Misfit::precision;
  buffer_.fixed(static_cast<std::uint32_t>(static_cast<std::int32_t>(*us / us_of_day)));
  return Misfit::none;
}

Misfit Encoder::json() {
  switch (class_) {
    case StorageClass::integer:
      return text_field(number_text(integer()).view());
    case StorageClass::real:
      if (std::isinf(real())) return Misfit::range;
      return text_field(number_text(real()).view());
    case StorageClass::text: {
      const std::string_view text = value_.octets;
      if (const Misfit misfit = check_text(text); misfit != Misfit::none) return misfit;
      return is_json_text(text) ? text_field(text) : Misfit::syntax;
    }
    default:
      return Misfit::storage_class;
  }
}

Misfit Encoder::uuid() {
  if (class_ != StorageClass::text) return Misfit::storage_class;
  const auto octets = parse_uuid(value_.octets);
  if (!octets) return Misfit::syntax;
  buffer_.field(*octets);
  return Misfit::none;
}

}  // namespace

std::string_view to_string(Misfit misfit) noexcept {
  switch (misfit) {
    case Misfit::none:
      return "fits";
    case Misfit::storage_class:
      return "the type holds no value of this storage class";
    case Misfit::range:
      return "outside the range of the type";
    case Misfit::precision:
      return "the type would round it";
    case Misfit::length:
      return "longer than the column";
    case Misfit::nul:
      return "text with a NUL";
    case Misfit::encoding:
      return "text that is not UTF-8";
    case Misfit::syntax:
      return "text that is no value of the type";
    case Misfit::width:
      return "the row is wider than a page of PostgreSQL";
  }
  return "";
}

Misfit encode_value(const sqlite::Value& value, const ColumnType& type, bool is_text_checked,
                    RowBuffer& buffer) {
  return Encoder(value, type, is_text_checked, buffer).encode();
}

}  // namespace nerve::convert
