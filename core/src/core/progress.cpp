// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/progress.h"

#include "terminal.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nerve {

namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

std::string amount_text(std::uint64_t amount, Progress::Unit unit) {
  return unit == Progress::Unit::bytes ? format_size(amount)
                                       : format_count(static_cast<std::int64_t>(amount));
}

/// Tenths of a percent, cut: "100.0 %" is shown when all is done and no sooner.
std::string percent_text(std::uint64_t done, std::uint64_t total) {
  const double share = static_cast<double>(done) / static_cast<double>(total);
  const auto permille = done >= total ? 1000 : std::min(999, static_cast<int>(share * 1000));
  return fmt::format("{}.{} %", permille / 10, permille % 10);
}

void put(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

Progress::Progress(std::FILE* stream, const Options& options)
    : stream_(stream), options_(options), phase_start_(options.now()), last_shown_(phase_start_) {}

Progress::~Progress() {
  clear();
}

void Progress::update(std::string_view phase, std::uint64_t done, std::uint64_t total) {
  if (!options_.enabled) return;
  const SteadyTime now = options_.now();
  if (phase != phase_) {
    phase_ = phase;
    detail_.clear();
    phase_first_done_ = done;
    phase_start_ = now;
  }
  done_ = done;
  total_ = total;
  const std::chrono::milliseconds interval = options_.terminal ? redraw_interval : line_interval;
  if (now - last_shown_ < interval) return;
  last_shown_ = now;
  show(now);
}

void Progress::clear() noexcept {
  if (!line_drawn_) return;
  put(stream_, erase_line);
  line_drawn_ = false;
}

void Progress::show(SteadyTime now) {
  const std::string text = sanitize_for_terminal(describe(now));
  if (!options_.terminal) {
    put(stream_, text + "\n");
    return;
  }
  // The last column stays free: some terminals go to the next line when it is filled.
  put(stream_, std::string(erase_line) + ellipsize(text, terminal_columns(stream_) - 1));
  line_drawn_ = true;
}

std::string Progress::describe(SteadyTime now) const {
  std::string text = phase_ + ": ";
  if (total_ > 0) text += percent_text(done_, total_) + " of " + amount_text(total_, options_.unit);
  if (total_ == 0) text += amount_text(done_, options_.unit);
  if (!detail_.empty()) text += ", " + detail_;

  const double elapsed_s = std::chrono::duration<double>(now - phase_start_).count();
  const auto advanced = static_cast<double>(done_ - std::min(done_, phase_first_done_));
  if (elapsed_s <= 0 || advanced <= 0) return text;
  const double rate = advanced / elapsed_s;
  text += ", " + amount_text(static_cast<std::uint64_t>(rate), options_.unit) + "/s";
  if (total_ <= done_) return text;
  const double left_s = static_cast<double>(total_ - done_) / rate;
  // Beyond a week an estimate says nothing, and might not fit into a count of nanoseconds.
  constexpr double week_s = 7 * 86'400;
  if (left_s > week_s) return text;
  const auto left = std::chrono::seconds(std::max<std::int64_t>(1, std::int64_t{std::lround(left_s)}));
  const bool under_a_minute = left < std::chrono::seconds(60);
  return text + ", " + (under_a_minute ? std::to_string(left.count()) + " s" : format_duration(left)) +
         " left";
}

}  // namespace nerve
