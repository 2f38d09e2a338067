// SPDX-License-Identifier: Apache-2.0
#include "retention_selection.h"

#include "lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <ranges>

namespace nerve::backups {
namespace {

using Days = std::chrono::sys_days;

Days day_of(const Timestamp& time) {
  return Days(std::chrono::floor<std::chrono::days>(std::chrono::microseconds(time.microseconds())));
}

/// The Monday that the week began with.
Days week_of(const Timestamp& time) {
  const Days day = day_of(time);
  return day - (std::chrono::weekday(day) - std::chrono::Monday);
}

/// A span of time as text; equal for two times in one span.
using Bucket = std::function<std::string(const Timestamp&)>;

struct Rule {
  std::string_view name;
  std::int64_t count;
  Bucket bucket;
};

std::string date_text(const Days& day) {
  return Timestamp::from_microseconds(
             std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count())
      .to_text()
      .substr(0, 10);
}

std::vector<Rule> rules_of(const RetentionPolicy& policy) {
  const auto beginning = [](std::size_t length) {
    return [length](const Timestamp& time) { return time.to_text().substr(0, length); };
  };
  return {{"hourly", policy.hourly, beginning(13)},
          {"daily", policy.daily, beginning(10)},
          {"weekly", policy.weekly, [](const Timestamp& time) { return date_text(week_of(time)); }},
          {"monthly", policy.monthly, beginning(7)},
          {"yearly", policy.yearly, beginning(4)}};
}

std::vector<Manifest> manifests_of(const std::vector<Candidate>& candidates) {
  std::vector<Manifest> manifests;
  manifests.reserve(candidates.size());
  for (const Candidate& candidate : candidates) manifests.push_back(candidate.backup);
  return manifests;
}

class Selection {
 public:
  Selection(const std::vector<Candidate>& candidates, const RetentionPolicy& policy, const Timestamp& now) {
    for (const Candidate& candidate : candidates) decisions_.push_back({candidate.backup, Fate::remove, {}});
    for (std::size_t index = 0; index < candidates.size(); ++index)
      keep_special(candidates[index], index, policy, now);
    keep_newest(candidates);
    keep_last(policy.last);
    if (has_restarted(manifests_of(candidates))) keep_last_by_time(policy.last);
    for (const Rule& rule : rules_of(policy)) apply(rule);
    keep_fulls();
    merge_over_gaps();
  }

  std::vector<PruneDecision> take() && { return std::move(decisions_); }

 private:
  void keep(std::size_t index, std::string reason) {
    decisions_[index].fate = Fate::keep;
    decisions_[index].reasons.push_back(std::move(reason));
  }

  void keep_special(const Candidate& candidate, std::size_t index, const RetentionPolicy& policy,
                    const Timestamp& now) {
    const Manifest& manifest = candidate.backup;
    if (candidate.standing.is_held) keep(index, "held");
    if (candidate.standing.is_in_kept_set) keep(index, "its set");
    if (candidate.standing.is_of_damaged_generation) keep(index, "a damaged one may need it");
    if (candidate.standing.is_of_damaged_history) keep(index, "the newest is damaged");
    const bool is_damaged = manifest.state == State::damaged;
    if (is_damaged && !manifest.container) return keep(index, "the files of a damaged database");
    const std::chrono::microseconds age(now.microseconds() - manifest.created_at.microseconds());
    if (age >= policy.safety) return;
    if (is_damaged) {
      keep(index, "of a damaged database");
    } else if (manifest.kind == Kind::safety) {
      keep(index, "safety");
    }
  }

  /// The newest for which `is_meant` says so.
  void keep_newest_where(const std::vector<Candidate>& candidates, const std::string& reason,
                         const std::function<bool(const Candidate&)>& is_meant) {
    for (std::size_t index = candidates.size(); index > 0; --index) {
      if (is_meant(candidates[index - 1])) return keep(index - 1, reason);
    }
  }

  void keep_newest(const std::vector<Candidate>& candidates) {
    keep_newest_where(candidates, "newest", [](const Candidate& one) {
      return one.backup.is_asked_for() && !one.backup.is_emptied;
    });
    keep_newest_where(candidates, "newest damaged",
                      [](const Candidate& one) { return one.backup.state == State::damaged; });
    keep_newest_where(candidates, "newest verified", [](const Candidate& one) {
      return one.backup.is_asked_for() && one.standing.is_verified;
    });
    keep_newest_where(candidates, "newest with rows",
                      [](const Candidate& one) { return one.backup.is_asked_for() && one.backup.has_rows; });
  }

  void keep_last(std::int64_t count) {
    for (std::size_t index = decisions_.size(); index > 0 && count > 0; --index) {
      if (!decisions_[index - 1].backup.is_asked_for()) continue;
      keep(index - 1, "last");
      --count;
    }
  }

  /// Where numbers were given twice, those of one history say nothing of their place in the other.
  void keep_last_by_time(std::int64_t count) {
    std::vector<std::size_t> places;
    for (std::size_t index = 0; index < decisions_.size(); ++index) {
      if (decisions_[index].backup.is_asked_for()) places.push_back(index);
    }
    std::ranges::stable_sort(places, std::greater<>(),
                             [&](std::size_t index) { return decisions_[index].backup.created_at; });
    places.resize(std::min(places.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 1))));
    for (const std::size_t index : places) {
      if (decisions_[index].fate != Fate::keep) keep(index, "last by its time");
    }
  }

  void apply(const Rule& rule) {
    std::int64_t left = rule.count;
    std::string previous;
    for (std::size_t index = decisions_.size(); index > 0 && left > 0; --index) {
      const Manifest& manifest = decisions_[index - 1].backup;
      if (!manifest.is_asked_for()) continue;
      std::string bucket = rule.bucket(manifest.created_at);
      if (bucket == previous) continue;
      keep(index - 1, fmt::format("{} {}", rule.name, bucket));
      previous = std::move(bucket);
      --left;
    }
  }

  void keep_fulls() {
    std::map<BackupId, std::size_t> places;
    for (std::size_t index = 0; index < decisions_.size(); ++index)
      places.emplace(decisions_[index].backup.id, index);
    for (std::size_t index = decisions_.size(); index > 0; --index) {
      const Manifest& manifest = decisions_[index - 1].backup;
      if (decisions_[index - 1].fate != Fate::keep || !manifest.container || !manifest.container->parent)
        continue;
      const auto full = places.find(manifest.container->generation);
      if (full != places.end() && decisions_[full->second].fate == Fate::remove)
        keep(full->second, "a delta needs it");
    }
  }

  void merge_over_gaps() {
    std::map<BackupId, Fate> fates;
    for (const PruneDecision& decision : decisions_) fates.emplace(decision.backup.id, decision.fate);
    for (PruneDecision& decision : decisions_) {
      const std::optional<ContainerFacts>& container = decision.backup.container;
      if (decision.fate != Fate::keep || !container || !container->parent) continue;
      const auto parent = fates.find(*container->parent);
      if (parent != fates.end() && parent->second == Fate::remove) decision.fate = Fate::merge;
    }
  }

  std::vector<PruneDecision> decisions_;
};

}  // namespace

std::vector<PruneDecision> decide(const std::vector<Candidate>& candidates, const RetentionPolicy& policy,
                                  const Timestamp& now) {
  return Selection(candidates, policy, now).take();
}

}  // namespace nerve::backups
