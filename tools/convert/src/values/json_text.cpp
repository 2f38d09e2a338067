// SPDX-License-Identifier: Apache-2.0
#include "values/json_text.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

namespace nerve::convert {
namespace {

/// PostgreSQL parses recursively, and its stack of 2 MB bears some thousands of levels.
constexpr std::size_t depth_max = 1'000;

/// Takes every event of the parser and builds nothing.
class Acceptor final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*elements*/) override { return ++depth_ <= depth_max; }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t /*elements*/) override { return ++depth_ <= depth_max; }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  std::size_t depth_ = 0;
};

}  // namespace

bool is_json_text(std::string_view text) {
  // The parser skips a byte-order mark, which PostgreSQL refuses.
  if (text.starts_with("\xef\xbb\xbf")) return false;
  Acceptor acceptor;
  return nlohmann::json::sax_parse(text.begin(), text.end(), &acceptor);
}

}  // namespace nerve::convert
