// SPDX-License-Identifier: Apache-2.0
// Converts as `nerve-db convert SOURCE TARGET --rejects FILE --json` does, in ranges of a few hundred rows:
// of the size that the command makes, a test would need gigabytes.
#include "nerve/convert/convert.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace {

constexpr std::int64_t range_bytes = 32 * 1024;

// docs/exit_codes.md
constexpr int failure = 1;
constexpr int usage = 2;
constexpr int conflict = 4;
constexpr int differs = 6;
constexpr int unavailable = 7;
constexpr int partial = 10;
constexpr int cancelled = 130;

int code_of(const nerve::Error& error) {
  if (error.kind() == nerve::ErrorKind::conflict) return conflict;
  if (error.kind() == nerve::ErrorKind::unavailable) return unavailable;
  return error.kind() == nerve::ErrorKind::cancelled ? cancelled : failure;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return usage;
  const nerve::InterruptGuard guard;
  try {
    nerve::convert::ConvertOptions options;
    options.rejects = words[3];
    options.range_bytes = range_bytes;
    const auto report = nerve::convert::convert(words[1], words[2], options);
    fmt::print("{}\n", nerve::convert::to_json(report).dump());
    if (!std::ranges::all_of(report.tables, &nerve::convert::TableReport::is_equal)) return differs;
    return report.is_complete() ? 0 : partial;
  } catch (const nerve::Error& error) {
    const nerve::Json told = {
        {"kind", to_string(error.kind())}, {"message", error.what()}, {"hint", error.hint()}};
    fmt::print(stderr, "{}\n", nerve::Json{{"error", told}}.dump());
    return code_of(error);
  }
}
