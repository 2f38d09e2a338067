// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/interrupt.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace nerve {

/// What long work reports to. Engines take a pointer, null when nobody listens, and know no terminal.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;

  /// `phase` is a few words such as "copying"; `done` of `total` units of it are finished. `total` is 0 while
  /// it is not known.
  virtual void update(std::string_view phase, std::uint64_t done, std::uint64_t total) = 0;
  /// A few words on what else is done, shown behind the next updates of the phase: "12 of 40 indexes".
  virtual void detail(std::string_view /*text*/) {}
};

/// Shows progress to a person: on a terminal one line that is redrawn at most ten times a second, with
/// percent, rate and time left, and cleared at the end; elsewhere one line every five seconds. Nothing of it
/// ever goes to standard output. Called by one thread.
class Progress final : public ProgressSink {
 public:
  enum class Unit : std::uint8_t { items, bytes };
  using SteadyTime = std::chrono::steady_clock::time_point;

  struct Options {
    Unit unit = Unit::items;
    bool enabled = true;    ///< false when quiet and for --json: nothing is shown
    bool terminal = false;  ///< `stream` is a terminal
    SteadyTime (*now)() = &std::chrono::steady_clock::now;
  };

  static constexpr std::chrono::milliseconds redraw_interval{100};
  static constexpr std::chrono::seconds line_interval{5};

  /// Borrows `stream`, usually stderr. Output::progress() fills in the options.
  Progress(std::FILE* stream, const Options& options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() override;

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total) override;
  void detail(std::string_view text) override { detail_ = text; }
  /// Clears the line; later updates show it again.
  void clear() noexcept;

 private:
  std::string describe(SteadyTime now) const;
  void show(SteadyTime now);

  std::FILE* stream_;
  Options options_;
  std::string phase_;
  std::string detail_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t phase_first_done_ = 0;
  SteadyTime phase_start_;
  SteadyTime last_shown_;
  bool line_drawn_ = false;
};

}  // namespace nerve
