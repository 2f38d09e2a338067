// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace nerve::bench {

namespace {

template <class Step>
double seconds(Step&& step) {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Samples {
  std::vector<double> insert, read, look_up;
};

}  // namespace

const Event& event(std::int64_t number) {
  static const std::vector<Event> events = [] {
    std::vector<Event> made;
    const char* const kinds[] = {"login_failed", "login_success", "session_revoked", "suspicious_activity"};
    for (int i = 0; i < 1000; ++i) {
      std::string at = fmt::format("2024-01-{:02}T{:02}:{:02}:{:02}.{:03}000Z", 1 + i % 28, i % 24, i % 60,
                                   (i * 7) % 60, i);
      made.push_back({0, std::move(at), kinds[i % 4], i * 0.25, "from 192.0.2." + std::to_string(i % 250)});
      made.back().body.resize(60, '.');
    }
    return made;
  }();
  return events[static_cast<std::size_t>(number) % events.size()];
}

std::vector<Times> measure(const std::vector<std::unique_ptr<Work>>& contestants, const Sizes& sizes) {
  std::vector<Samples> samples(contestants.size());
  std::uint64_t expected_read = 0;
  std::uint64_t expected_look_up = 0;
  const auto require_same = [](std::uint64_t& expected, std::uint64_t found, const char* name) {
    if (expected == 0) expected = found;
    if (expected != found)
      throw std::runtime_error(std::string(name) + " read something else than the others");
  };
  for (int round = 0; round < sizes.rounds; ++round) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      Work& work = *contestants[i];
      std::fprintf(stderr, "round %d of %d: %s\n", round + 1, sizes.rounds, work.name());
      work.create_table();
      samples[i].insert.push_back(seconds([&] { work.insert(sizes.rows); }));
      std::uint64_t sum = 0;
      samples[i].read.push_back(seconds([&] { sum = work.read_all(); }));
      require_same(expected_read, sum, work.name());
      samples[i].look_up.push_back(seconds([&] { sum = work.look_up(sizes.look_ups, sizes.rows); }));
      require_same(expected_look_up, sum, work.name());
    }
  }
  std::vector<Times> times;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    times.push_back({contestants[i]->name(), median(samples[i].insert), median(samples[i].read),
                     median(samples[i].look_up)});
  }
  return times;
}

}  // namespace nerve::bench
