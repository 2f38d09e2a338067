// SPDX-License-Identifier: Apache-2.0
#include "findings.h"

#include "violation.h"

#include "nerve/validate/rules.h"

namespace nerve::validate {

void Findings::add(std::string_view rule, std::string_view message) {
  if (!is_full()) violations_.push_back(violation(path_.empty() ? "record" : path_, rule, message));
}

bool Findings::is_full() const {
  return violations_.size() >= violations_max;
}

Findings::Step::Step(Findings& findings, std::string_view field)
    : findings_(findings), outer_size_(findings.path_.size()) {
  if (outer_size_ != 0) findings_.path_ += '.';
  findings_.path_ += field;
  ++findings_.depth_;
}

Findings::Step::Step(Findings& findings, std::size_t index)
    : findings_(findings), outer_size_(findings.path_.size()) {
  findings_.path_ += '[' + std::to_string(index) + ']';
  ++findings_.depth_;
}

Findings::Step::~Step() {
  findings_.path_.resize(outer_size_);
  --findings_.depth_;
}

}  // namespace nerve::validate
