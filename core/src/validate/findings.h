// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::validate {

/// The violations found so far, and the path of the value that is being looked at.
class Findings {
 public:
  /// `root` is the path of the outermost value.
  explicit Findings(std::string_view root = "record") : root_(root) {}

  /// Adds a violation at the current path, unless the list is full.
  void add(std::string_view rule, std::string_view message);

  bool is_full() const;
  std::size_t size() const { return violations_.size(); }
  std::size_t depth() const { return depth_; }
  std::vector<Violation> take() { return std::move(violations_); }

  /// Makes a field or an item of the current value the current one, until the end of the block.
  class Step {
   public:
    Step(Findings& findings, std::string_view field);
    Step(Findings& findings, std::size_t index);
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Findings& findings_;
    std::size_t outer_size_;
  };

 private:
  std::string_view root_;
  std::string path_;
  std::size_t depth_ = 0;
  std::vector<Violation> violations_;
};

/// The name of a field that comes from outside: it must neither drive a terminal nor fill a log.
std::string foreign_name(std::string_view name);

/// Throws ValidationError "SUBJECT: 3 fields are wrong", with a hint that names the first of them, where
/// there is any violation.
void require_none(std::vector<Violation> violations, std::string_view subject);

}  // namespace nerve::validate
