// SPDX-License-Identifier: Apache-2.0
#include "nerve/field.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace nerve {

namespace {

template <class Number>
Number number_of(const Field& field, std::string_view text, std::string_view what) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw ValidationError(fmt::format("{} is not {}", field.name, what), "Write it in digits.");
}

std::string choice_of(const Field& field, std::string_view text) {
  if (std::ranges::find(field.type->choices, text) == field.type->choices.end()) {
    throw ValidationError(fmt::format("{} has no such value", field.name),
                          fmt::format("Write one of {}.", fmt::join(field.type->choices, ", ")));
  }
  return std::string(text);
}

bool truth_of(const Field& field, std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  throw ValidationError(fmt::format("{} is neither true nor false", field.name), "Write true or false.");
}

/// What `read` makes of the text; its error gets the name of the field.
template <class Read>
db::Value told(const Field& field, Read read) {
  try {
    return read();
  } catch (const ValidationError& error) {
    throw ValidationError(fmt::format("{}: {}", field.name, error.what()), error.hint());
  }
}

}  // namespace

Json json_of(const Field& field, const db::Value& value) {
  if (value.type() == db::ValueType::null) return nullptr;
  switch (field.kind) {
    case FieldKind::integer:
      return value.as_integer();
    case FieldKind::real:
      return value.as_real();
    case FieldKind::boolean:
      return value.as_boolean();
    case FieldKind::json:
      return parse_json(value.as_octets(), field.name);
    case FieldKind::bytes:
      return to_base64url(as_bytes(value.as_octets()));
    case FieldKind::text:
    case FieldKind::id:
    case FieldKind::time:
    case FieldKind::choice:
      break;
  }
  return std::string(value.as_octets());
}

db::Value parse_field(const Field& field, std::string_view text) {
  switch (field.kind) {
    case FieldKind::integer:
      return db::Value::integer(number_of<std::int64_t>(field, text, "a whole number"));
    case FieldKind::real:
      return db::Value::real(number_of<double>(field, text, "a number"));
    case FieldKind::boolean:
      return db::Value::boolean(truth_of(field, text));
    case FieldKind::choice:
      return db::Value::owned_text(choice_of(field, text));
    case FieldKind::id:
      return told(field, [&] { return db::Value::owned_text(Uuid::parse(text).to_string()); });
    case FieldKind::time:
      return told(field, [&] { return db::Value::owned_text(Timestamp::parse(text).to_text()); });
    case FieldKind::json:
      return told(field, [&] { return db::Value::owned_text(parse_json(text, "text").dump()); });
    case FieldKind::bytes:
      return told(field, [&] { return db::Value::owned_bytes(std::string(as_text(from_base64url(text)))); });
    case FieldKind::text:
      break;
  }
  db::Value value = db::Value::owned_text(std::string(text));
  db::require_bindable(value);
  return value;
}

std::string label_of(const Field& field) {
  std::string_view name = field.name;
  if (name.starts_with("is_")) name.remove_prefix(3);
  if (name.ends_with("_at") || name.ends_with("_id")) name.remove_suffix(3);
  std::string label(name);
  std::ranges::replace(label, '_', ' ');
  return label;
}

std::string heading_of(const Field& field) {
  std::string heading = label_of(field);
  std::ranges::transform(heading, heading.begin(),
                         [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c); });
  return heading;
}

db::Cell cell_of(const db::Value& value) noexcept {
  db::Cell cell;
  cell.null = value.type() == db::ValueType::null;
  switch (value.type()) {
    case db::ValueType::null:
      break;
    case db::ValueType::integer:
      cell.integer = value.as_integer();
      break;
    case db::ValueType::boolean:
      cell.integer = value.as_boolean() ? 1 : 0;
      break;
    case db::ValueType::real:
      cell.real = value.as_real();
      break;
    case db::ValueType::text:
    case db::ValueType::bytes:
      cell.octets = value.as_octets();
      break;
  }
  return cell;
}

db::Value value_of(const Field& field, const db::Cell& cell) {
  if (cell.null) return {};
  switch (field.type->value_type) {
    case db::ValueType::integer:
      return db::Value::integer(cell.integer);
    case db::ValueType::real:
      return db::Value::real(cell.real);
    case db::ValueType::boolean:
      return db::Value::boolean(cell.integer != 0);
    case db::ValueType::bytes:
      return db::Value::owned_bytes(std::string(cell.octets));
    case db::ValueType::text:
      if (field.kind == FieldKind::time)
        return db::Value::owned_text(Timestamp::parse(cell.octets).to_text());
      return db::Value::owned_text(std::string(cell.octets));
    case db::ValueType::null:
      break;
  }
  return {};
}

}  // namespace nerve
