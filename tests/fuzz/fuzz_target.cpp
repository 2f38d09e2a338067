// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_target.h"

#include "fuzz/failure_file.h"
#include "fuzz/mutator.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

namespace nerve::fuzz {
namespace {

constexpr int usage_exit_code = 2;

struct Arguments {
  std::uint64_t runs = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> files;
};

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Arguments> read_arguments(int argc, const char* const* argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      arguments.files.emplace_back(argument);
      continue;
    }
    const auto number = i + 1 < argc ? read_number(argv[++i]) : std::nullopt;
    if (!number || (argument != "--runs" && argument != "--seed")) return std::nullopt;
    (argument == "--runs" ? arguments.runs : arguments.seed) = *number;
  }
  if (arguments.files.empty() == (arguments.runs == 0)) return std::nullopt;
  return arguments;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

void require(bool holds, std::string_view claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(claim.size()), claim.data());
  std::abort();
}

int run_fuzz(int argc, const char* const* argv, const std::vector<std::string>& corpus,
             const std::function<void(std::string_view)>& target) {
  const auto arguments = read_arguments(argc, argv);
  if (!arguments) {
    std::fprintf(stderr, "usage: %s --runs N [--seed S] | FILE...\n", argc > 0 ? argv[0] : "fuzz");
    return usage_exit_code;
  }
  for (const std::string& path : arguments->files) {
    const auto input = read_file(path);
    if (!input) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return usage_exit_code;
    }
    target(*input);
  }
  if (arguments->runs == 0) return EXIT_SUCCESS;

  std::printf("%llu mutations of %zu inputs, seed %llu\n", static_cast<unsigned long long>(arguments->runs),
              corpus.size(), static_cast<unsigned long long>(arguments->seed));
  std::fflush(stdout);
  write_input_on_failure();
  const auto run = [&target](const std::string& input) {
    keep_for_failure(input);
    target(input);
  };
  for (const std::string& input : corpus) run(input);
  Mutator mutator(corpus, arguments->seed);
  for (std::uint64_t i = 0; i < arguments->runs; ++i) run(mutator.next());
  return EXIT_SUCCESS;
}

}  // namespace nerve::fuzz
