// SPDX-License-Identifier: Apache-2.0
#include "maintenance_window.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>

namespace nerve::cli {

namespace {

constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int minutes_a_day = 24 * 60;

std::optional<std::size_t> day_of(std::string_view name) {
  const auto* found = std::find(day_names.begin(), day_names.end(), name);
  if (found == day_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - day_names.begin());
}

/// "sat", "mon-fri" (also over the end of the week) or "daily".
std::optional<std::array<bool, 7>> days_of(std::string_view text) {
  std::array<bool, 7> days{};
  if (text == "daily") {
    days.fill(true);
    return days;
  }
  const std::size_t dash = text.find('-');
  const auto first = day_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : day_of(text.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  for (std::size_t day = *first;; day = (day + 1) % days.size()) {
    days[day] = true;
    if (day == *last) return days;
  }
}

/// "HH:MM"; 24:00 is the end of the day.
std::optional<int> minute_of(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) ||
      !is_digit(text[4])) {
    return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > minutes_a_day) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

MaintenanceWindow MaintenanceWindow::parse(std::string_view text, const std::string& where) {
  MaintenanceWindow window;
  window.text_ = text;
  const std::size_t space = text.find(' ');
  const auto days = days_of(text.substr(0, space));
  const std::string_view hours =
      space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  const std::size_t dash = hours.find('-');
  const auto begin = minute_of(hours.substr(0, dash));
  const auto end = minute_of(dash == std::string_view::npos ? std::string_view() : hours.substr(dash + 1));
  if (!days || !begin || !end || *begin == *end) {
    throw ValidationError(
        fmt::format("{}: \"{}\" is no maintenance window", where, text),
        "Write days and hours: \"sat 22:00-04:00\", \"mon-fri 02:30-04:00\", \"daily 03:00-04:00\".");
  }
  window.days_ = *days;
  window.begin_minute_ = *begin;
  window.end_minute_ = *end;
  return window;
}

bool MaintenanceWindow::contains(Timestamp time) const {
  const std::time_t seconds = time.microseconds() / 1'000'000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const int minute = local.tm_hour * 60 + local.tm_min;
  const auto day = static_cast<std::size_t>(local.tm_wday);
  if (begin_minute_ < end_minute_) return days_[day] && minute >= begin_minute_ && minute < end_minute_;
  const std::size_t day_before = (day + days_.size() - 1) % days_.size();
  return (days_[day] && minute >= begin_minute_) || (days_[day_before] && minute < end_minute_);
}

void require_window(const std::vector<std::string>& windows, const std::string& where, Timestamp now) {
  if (windows.empty()) {
    throw ValidationError("no maintenance window is set",
                          "Set one in nerve.toml: [maintenance] windows = [\"sat 22:00-04:00\"].");
  }
  bool is_open = false;
  for (const std::string& text : windows)
    is_open = MaintenanceWindow::parse(text, where).contains(now) || is_open;
  if (is_open) return;
  throw DeniedError(fmt::format("{} is outside the maintenance windows ({})", now.to_local_text(false),
                                fmt::join(windows, ", ")),
                    "Run it inside of one, or leave --window out.");
}

}  // namespace nerve::cli
