// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// A fuzz target is one source file that defines fuzz_corpus() and fuzz_one(); nerve_add_fuzz_target() in
/// this folder's CMakeLists.txt builds it.
///
/// Goal: a parser neither crashes, hangs nor breaks its promises on any input. Method: the test run mutates
/// the corpus a bounded number of times from a fixed seed, so that it is the same each time; with NERVE_FUZZ,
/// clang's libFuzzer takes over and searches by coverage for as long as it is left running. Sanitizers see
/// what does not show.
namespace nerve::fuzz {

/// Inputs to begin with, each of which reaches another part of the parser.
std::vector<std::string> fuzz_corpus();

/// Feeds one input to the parser and checks what must hold of the outcome with require().
void fuzz_one(std::string_view input);

/// Ends the program with `claim` on stderr, unless it holds.
void require(bool holds, std::string_view claim);

/// With file names as arguments, feeds each file to `target`. With `--runs N [--seed S]`, feeds the corpus
/// and then N mutations of it. The input of a run that fails is written to "fuzz-failure.bin" in the working
/// folder, for a run by file name. Returns the exit code: 0, or 2 for wrong arguments and for files that
/// cannot be read.
int run_fuzz(int argc, const char* const* argv, const std::vector<std::string>& corpus,
             const std::function<void(std::string_view)>& target);

}  // namespace nerve::fuzz
