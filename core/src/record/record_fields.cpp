// SPDX-License-Identifier: Apache-2.0
// Options and JSON made from the fields of a record.
#include "nerve/core/error.h"
#include "nerve/record_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve {

namespace {

/// What people gave for a field. An empty text takes away what may be absent, and empties a list.
db::Value given_value(const Field& field, const std::vector<std::string>& texts) {
  if (field.kind == FieldKind::json) {
    Json list = Json::array();
    for (const std::string& text : texts) {
      if (!text.empty()) list.push_back(text);
    }
    return parse_field(field, list.dump());
  }
  if (texts.front().empty() && field.type->is_optional) return {};
  return parse_field(field, texts.front());
}

}  // namespace

std::vector<Argument> field_options(const RecordType& record) {
  std::vector<Argument> options;
  for (const Field& field : record.fields()) {
    if (field.option.empty()) continue;
    Argument option{
        .name = field.option, .type = ArgumentType::text, .description = std::string(field.description)};
    option.value_name = "TEXT";
    if (field.kind == FieldKind::integer) {
      option.type = ArgumentType::integer;
      option.value_name = "N";
    } else if (field.kind == FieldKind::json) {
      option.repeats = true;
    } else if (field.kind == FieldKind::choice) {
      option.type = ArgumentType::choice;
      option.value_name = "ONE";
      option.choices.assign(field.type->choices.begin(), field.type->choices.end());
    }
    options.push_back(std::move(option));
  }
  return options;
}

void read_fields_into(const RecordType& record, const Arguments& arguments, void* row) {
  for (const Field& field : record.fields()) {
    if (field.option.empty()) continue;
    const std::vector<std::string> texts = arguments.texts(field.option);
    if (texts.empty()) continue;
    const db::Value value = given_value(field, texts);
    field.type->decode(field.member(row), cell_of(value));
  }
}

Json json_of(const RecordType& record, std::span<const db::Value> values) {
  Json json = Json::object();
  for (std::size_t index = 0; index < values.size(); ++index) {
    const Field& field = record.fields()[index];
    if (!field.is_secret) json[std::string(field.name)] = json_of(field, values[index]);
  }
  return json;
}

void show_change(Output& output, const RecordType& record, std::span<const db::Value> values,
                 std::string_view what) {
  if (output.wants_json()) {
    output.json(json_of(record, values));
    return;
  }
  const auto text_of = [&](const Field& field) {
    const auto place = static_cast<std::size_t>(&field - record.fields().data());
    return std::string(values[place].as_octets());
  };
  const Field* natural = record.natural_key();
  const std::string id = text_of(record.key());
  output.note(fmt::format("{} the {} {}", what, record.noun(),
                          natural == nullptr ? id.substr(id.size() - 8) : text_of(*natural)));
  output.line(id);
}

}  // namespace nerve
