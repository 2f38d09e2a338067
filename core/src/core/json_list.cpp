// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/json_list.h"

#include "nerve/core/output.h"

#include <nlohmann/json.hpp>

#include <string>

namespace nerve {

JsonList::JsonList(Output& output, std::string_view name) : output_(output), name_(name) {}

void JsonList::begin() {
  if (is_begun_) return;
  output_.text("{" + output_.json_text(name_) + ": [");
  is_begun_ = true;
}

void JsonList::add(const Json& item) {
  const std::string_view separator = is_begun_ ? "," : "";
  begin();
  output_.text(std::string(separator) + "\n  " + output_.json_text(item));
}

void JsonList::finish(const Json& more) {
  std::string end = is_begun_ ? "\n]" : "]";
  begin();
  for (const auto& [name, value] : more.items()) {
    end += ", " + output_.json_text(name) + ": " + output_.json_text(value);
  }
  output_.text(end + "}\n");
}

}  // namespace nerve
