// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/json.h"

#include "nerve/core/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nerve {

namespace {

/// Hands the parser one byte after another and tells the reader outside how far it has come. The parser
/// copies iterators, so the place is kept by its owner.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** reached) noexcept : at_(at), reached_(reached) {}

  reference operator*() const noexcept { return *at_; }
  TrackedIterator& operator++() noexcept {
    ++at_;
    *reached_ = at_;
    return *this;
  }
  TrackedIterator operator++(int) noexcept {
    const TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const noexcept { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// Builds a value from the parser's events and stops at the first thing that is wrong, which it names.
class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary value"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] = open_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
    if (!is_new) return refuse("an object has the same key twice");
    member_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    constexpr int number_overflow = 406;
    syntax_error_position_ = position;
    return refuse(error.id == number_overflow ? "number beyond the range of a double"
                                              : "not well-formed JSON");
  }

  /// How many bytes were read when the syntax turned out wrong, the end of the text counted as one.
  std::optional<std::size_t> syntax_error_position() const noexcept { return syntax_error_position_; }
  const char* refusal() const noexcept { return refusal_; }
  Json take() { return std::move(root_); }

 private:
  bool refuse(const char* what) {
    refusal_ = what;
    return false;
  }
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_object()) {
      *member_ = std::move(value);
      return member_;
    }
    auto& elements = open_.back()->get_ref<Json::array_t&>();
    elements.push_back(std::move(value));
    return &elements.back();
  }
  bool add(Json&& value) {
    place(std::move(value));
    return true;
  }
  bool open(Json&& value) {
    if (open_.size() == json_depth_max) return refuse("nested deeper than 256 levels");
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*>
      open_;  // the containers around the present place; none moves while those inside it are open
  Json* member_ = nullptr;
  const char* refusal_ = "";
  std::optional<std::size_t> syntax_error_position_;
};

std::string position_text(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return std::to_string(line) + ":" + std::to_string(offset - line_start + 1);
}

}  // namespace

Json parse_json(std::string_view text, std::string_view name) {
  const char* const begin = text.data();
  const char* reached = begin;
  JsonBuilder builder;
  const bool parsed = Json::sax_parse(TrackedIterator(begin, &reached),
                                      TrackedIterator(begin + text.size(), &reached), &builder);
  if (parsed) return builder.take();
  // What is wrong is the last byte that was read.
  const std::size_t read =
      builder.syntax_error_position().value_or(static_cast<std::size_t>(reached - begin));
  throw ValidationError(
      std::string(name) + ":" + position_text(text, read == 0 ? 0 : read - 1) + ": " + builder.refusal(),
      "Correct the document at that line and column.");
}

}  // namespace nerve
