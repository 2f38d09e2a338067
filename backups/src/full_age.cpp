// SPDX-License-Identifier: Apache-2.0
#include "full_age.h"

#include "lines.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <chrono>

namespace nerve::backups {
namespace {

/// Neither timers nor the programs before a backup are exact. Without this hundredth, a daily full of a daily
/// timer would be made every other day, whenever the second run began a moment sooner than the first.
std::chrono::microseconds due_after(std::chrono::seconds age_max) {
  return std::chrono::microseconds(age_max) * 99 / 100;
}

template <class Predicate>
std::optional<Manifest> newest_full_where(std::span<const Entry> entries, Predicate is_meant) {
  std::optional<Manifest> newest;
  for (const Entry& entry : entries) {
    const bool is_full = entry.manifest && entry.manifest->state == State::good &&
                         entry.manifest->container && !entry.manifest->container->parent &&
                         is_meant(*entry.manifest);
    if (is_full && (!newest || entry.manifest->sequence > newest->sequence)) newest = entry.manifest;
  }
  return newest;
}

}  // namespace

std::optional<Manifest> newest_full(std::span<const Entry> entries, std::string_view source) {
  return newest_full_where(entries, [&](const Manifest& one) { return one.source.path == source; });
}

BackupOptions with_due_full(BackupOptions options, std::span<const Entry> entries, std::string_view source,
                            const std::optional<LineId>& line, const Clock& clock) {
  if (options.form != Form::automatic || !options.full_age_max) return options;
  const std::optional<Manifest> full =
      newest_full_where(entries, [&](const Manifest& one) { return is_of(one, source, line); });
  if (!full) return options;
  // A full from the future, after the clock was set back, is due by its distance: once, since the next has a
  // time of now.
  const std::chrono::microseconds age = std::chrono::abs(clock.now() - full->created_at);
  if (age < due_after(*options.full_age_max)) return options;
  options.form = Form::full;
  if (options.on_note) {
    options.on_note(fmt::format("this is a full: the last one, {}, is {} {}", full->id.short_text(),
                                format_duration(age),
                                full->created_at > clock.now() ? "in the future" : "old"));
  }
  return options;
}

}  // namespace nerve::backups
