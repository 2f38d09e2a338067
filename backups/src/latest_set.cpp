// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/latest_set.h"

#include "lines.h"
#include "repository_folder.h"
#include "witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace nerve::backups {
namespace {

class Search {
 public:
  Search(const Repository& repository, const std::vector<std::filesystem::path>& databases,
         const std::optional<Timestamp>& until)
      : entries_(repository.list()), until_(until) {
    for (const std::filesystem::path& database : databases) {
      sources_.insert(source_name(database));
      keep_line_at(repository, source_name(database), entries_);
    }
    std::ranges::reverse(entries_);
  }

  std::optional<LatestSet> run() const {
    std::optional<LatestSet> newest;
    for (const Entry& entry : entries_) {
      if (!is_meant(entry)) continue;
      std::vector<Manifest> members = whole_set_of(entry);
      if (members.empty()) continue;
      if (newest && !is_newer(members, newest->members)) continue;
      newest = LatestSet{std::move(members), {}};
    }
    if (newest) name_passed_over(*newest);
    return newest;
  }

 private:
  static bool is_newer(const std::vector<Manifest>& one, const std::vector<Manifest>& other) {
    const auto last = [](const std::vector<Manifest>& members) {
      return std::ranges::max_element(members, {}, &Manifest::sequence)->sequence;
    };
    return last(one) > last(other);
  }

  bool is_meant(const Entry& entry) const {
    return entry.manifest && entry.manifest->kind != Kind::safety &&
           sources_.contains(entry.manifest->source.path) && is_in_time(entry.manifest->created_at);
  }

  bool is_in_time(const std::optional<Timestamp>& time) const { return !until_ || !time || *time <= *until_; }

  static bool can_be_restored(const Manifest& one) { return one.state == State::good && !one.is_emptied; }

  /// The members of its set, in the order of their roles; empty where one is missing.
  std::vector<Manifest> whole_set_of(const Entry& entry) const {
    const std::optional<SetFacts>& set = entry.manifest->set;
    if (!set || set->roles.size() != sources_.size()) return {};
    std::vector<Manifest> members;
    std::set<std::string> found;
    for (const std::string& role : set->roles) {
      const auto one = std::ranges::find_if(entries_, [&](const Entry& other) {
        return is_meant(other) && can_be_restored(*other.manifest) && other.manifest->set &&
               other.manifest->set->id == set->id && other.manifest->set->role == role;
      });
      if (one == entries_.end() || !found.insert(one->manifest->source.path).second) return {};
      members.push_back(*one->manifest);
    }
    return members;
  }

  /// Why an entry that is newer than the set is no part of what "latest" means; empty where nobody could
  /// have meant it.
  std::string reason_against(const Entry& entry) const {
    if (!entry.manifest) {
      const bool may_be_of_them = entry.source.empty() || sources_.contains(entry.source);
      return may_be_of_them && is_in_time(entry.created_at) ? entry.problem : "";
    }
    if (!is_meant(entry)) return "";
    const Manifest& one = *entry.manifest;
    if (one.state != State::good) return fmt::format("{} was damaged when it was made", one.source.path);
    if (one.is_emptied) return fmt::format("{} had lost all its rows when it was made", one.source.path);
    if (!one.set) return fmt::format("it was made of {} alone", one.source.path);
    return "another backup of its set is gone, damaged or without rows";
  }

  void name_passed_over(LatestSet& chosen) const {
    for (const Entry& entry : entries_) {
      const bool is_newer_than_all = std::ranges::all_of(
          chosen.members, [&](const Manifest& member) { return is_after(entry, member); });
      if (!is_newer_than_all) continue;
      const std::string reason = reason_against(entry);
      if (reason.empty()) continue;
      chosen.passed_over.push_back(
          fmt::format("the newer backup {} is passed over: {}",
                      entry.manifest ? std::string(entry.manifest->id.short_text()) : entry.name, reason));
    }
  }

  static bool is_after(const Entry& entry, const Manifest& member) {
    if (!entry.manifest) return is_later(entry, member);
    return entry.manifest->sequence > member.sequence;
  }

  std::vector<Entry> entries_;  ///< newest first
  std::optional<Timestamp> until_;
  std::set<std::string> sources_;
};

}  // namespace

std::optional<LatestSet> latest_set(const Repository& repository,
                                    const std::vector<std::filesystem::path>& databases,
                                    const std::optional<Timestamp>& until) {
  std::optional<LatestSet> set = Search(repository, databases, until).run();
  require_not_put_back(repository, set ? std::optional(set->members.front()) : std::nullopt);
  return set;
}

}  // namespace nerve::backups
