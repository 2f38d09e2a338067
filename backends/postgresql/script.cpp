// SPDX-License-Identifier: Apache-2.0
#include "postgresql/script.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace nerve::backends {

namespace {

constexpr std::array control_words{"begin", "start",     "commit",  "end",    "rollback",
                                   "abort", "savepoint", "release", "prepare"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

class Scanner {
 public:
  explicit Scanner(std::string_view script) : script_(script) {}

  void scan() {
    bool at_statement_begin = true;
    while (at_ < script_.size()) {
      if (skip_comment() || skip_space()) continue;
      if (script_[at_] == ';') {
        at_statement_begin = true;
        ++at_;
        continue;
      }
      if (skip_quoted()) {
      } else if (is_word(script_[at_])) {
        const std::size_t begin = at_;
        while (at_ < script_.size() && is_word(script_[at_])) ++at_;
        if (at_statement_begin) require_harmless(script_.substr(begin, at_ - begin), begin);
      } else {
        ++at_;
      }
      at_statement_begin = false;
    }
  }

 private:
  bool looking_at(std::string_view text) const { return script_.substr(at_).starts_with(text); }

  bool skip_space() {
    if (std::isspace(static_cast<unsigned char>(script_[at_])) == 0) return false;
    ++at_;
    return true;
  }

  bool skip_comment() {
    if (looking_at("--")) {
      at_ = std::min(script_.find('\n', at_), script_.size());
      return true;
    }
    if (!looking_at("/*")) return false;
    int depth = 0;
    do {
      if (looking_at("/*")) {
        ++depth;
        at_ += 2;
      } else if (looking_at("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < script_.size());
    return true;
  }

  bool skip_quoted() {
    const char c = script_[at_];
    if (c == '\'' || c == '"') {
      const bool escapes = c == '\'' && at_ > 0 && (script_[at_ - 1] == 'E' || script_[at_ - 1] == 'e');
      for (++at_; at_ < script_.size() && script_[at_] != c; ++at_) {
        if (escapes && script_[at_] == '\\') ++at_;
      }
      at_ = std::min(at_ + 1, script_.size());
      return true;
    }
    if (c != '$') return false;
    const std::size_t tag_end = script_.find('$', at_ + 1);
    if (tag_end == std::string_view::npos) return false;
    const std::string_view tag = script_.substr(at_, tag_end - at_ + 1);
    if (!std::all_of(tag.begin() + 1, tag.end() - 1, [](char t) { return is_word(t) && t != '$'; }))
      return false;
    const std::size_t close = script_.find(tag, tag_end + 1);
    at_ = close == std::string_view::npos ? script_.size() : close + tag.size();
    return true;
  }

  void require_harmless(std::string_view word, std::size_t begin) const {
    std::string lower(word);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(control_words.begin(), control_words.end(), lower) == control_words.end()) return;
    const auto line =
        1 + std::count(script_.begin(), script_.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
    throw ValidationError(
        "line " + std::to_string(line) + " of the script begins a transaction statement (" + lower + ")",
        "Remove it: the script runs inside the transaction that was begun for it.");
  }

  std::string_view script_;
  std::size_t at_ = 0;
};

}  // namespace

void require_no_transaction_control(std::string_view script) {
  if (script.find('\0') != std::string_view::npos) {
    throw ValidationError("a script holds a NUL character", "Remove it; the server would not read past it.");
  }
  Scanner(script).scan();
}

}  // namespace nerve::backends
