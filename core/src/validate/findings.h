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
  std::string path_;
  std::size_t depth_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace nerve::validate
