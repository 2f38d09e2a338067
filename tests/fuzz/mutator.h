// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::fuzz {

/// Makes inputs by small random changes to those of a corpus. The same seed makes the same inputs everywhere:
/// the engine is specified by the C++ standard, and no distribution of the library, which is not, is used.
class Mutator {
 public:
  /// The corpus must not be empty.
  Mutator(const std::vector<std::string>& corpus, std::uint64_t seed) : corpus_(corpus), engine_(seed) {}

  /// An input of the corpus after one to eight changes.
  std::string next();

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(engine_() % bound);
  }
  std::string_view piece_of(std::string_view text);
  void put_number(std::string& text, std::size_t at);
  void change(std::string& text);

  const std::vector<std::string>& corpus_;
  std::mt19937_64 engine_;
};

}  // namespace nerve::fuzz
