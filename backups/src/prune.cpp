// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"
#include "container/keys.h"
#include "delta_merges.h"
#include "durable_file.h"
#include "kept_proof.h"
#include "layout.h"
#include "partial_backup.h"
#include "partial_proof.h"
#include "retention_selection.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/verification.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace nerve::backups {
namespace {

/// A database by name, and which of those that had it (lines.h).
using History = std::pair<std::string, std::optional<LineId>>;
using Candidates = std::map<History, std::vector<Candidate>>;

/// The generations in which damage was found. What of them is good stays, so that nothing is lost of the
/// rest; it keeps no other generation from being pruned.
std::set<BackupId> damaged_generations(const std::vector<Entry>& entries) {
  std::set<BackupId> damaged;
  for (const Entry& entry : entries) {
    if (entry.is_damage_noted && entry.distrusted && entry.distrusted->container) {
      damaged.insert(entry.distrusted->container->generation);
    }
  }
  return damaged;
}

/// Everything of a repository by history, each in the order of sequence.
Candidates candidates_of(const Repository& repository, const std::vector<Entry>& entries) {
  Candidates candidates;
  const std::set<BackupId> damaged = damaged_generations(entries);
  for (const Entry& entry : entries) {
    if (!entry.manifest) continue;
    const BackupId& id = entry.manifest->id;
    Standing standing{hold_of(repository, id).has_value(), last_verification(repository, id).has_value()};
    const std::optional<ContainerFacts>& container = entry.manifest->container;
    standing.is_of_damaged_generation = container && damaged.contains(container->generation);
    candidates[{entry.manifest->source.path, entry.manifest->line}].push_back({*entry.manifest, standing});
  }
  for (auto& [source, list] : candidates) {
    std::ranges::stable_sort(list, {}, [](const Candidate& one) { return one.backup.sequence; });
  }
  return candidates;
}

std::vector<PruneDecision> decide_all(const Candidates& candidates, const RetentionPolicy& policy,
                                      const Timestamp& now) {
  std::vector<PruneDecision> all;
  for (const auto& [source, list] : candidates)
    std::ranges::move(decide(list, policy, now), std::back_inserter(all));
  return all;
}

/// Marks the backups of which another one of their set stays.
void keep_sets_whole(const std::vector<PruneDecision>& decisions, Candidates& candidates) {
  std::set<SetId> kept;
  for (const PruneDecision& decision : decisions) {
    if (decision.fate != Fate::remove && decision.backup.set) kept.insert(decision.backup.set->id);
  }
  for (auto& [source, list] : candidates) {
    for (Candidate& candidate : list) {
      const std::optional<SetFacts>& set = candidate.backup.set;
      candidate.standing.is_in_kept_set = set && kept.contains(set->id);
    }
  }
}

class Prune {
 public:
  Prune(const Repository& repository, Keyring& keyring, const Clock& clock, ProgressSink* progress)
      : repository_(repository),
        keyring_(keyring),
        clock_(clock),
        progress_(progress),
        catalogue_(repository) {}

  /// Merges first, oldest first, so that each merged delta finds the state that it is to lead on from;
  /// removes then, newest first, so that no delta is left without its parent.
  void carry_out(PruneReport& report) {
    steps_ = static_cast<std::uint64_t>(report.count(Fate::merge) + report.count(Fate::remove));
    expect_kept(report);
    report.freed_bytes +=
        DeltaMerges(repository_, report.decisions, keyring_, catalogue_, clock_).run([&] { step(); });
    std::vector<const Manifest*> removed;
    for (const PruneDecision& decision : report.decisions) {
      if (decision.fate == Fate::remove) removed.push_back(&decision.backup);
    }
    std::ranges::reverse(removed);
    remove(removed);
    for (const Manifest* manifest : removed)
      report.freed_bytes += static_cast<std::int64_t>(manifest->file.size_bytes);
    report.done = true;
    // What was removed need not be told any more.
    if (steps_ > 0) catalogue_.compact();
  }

 private:
  void step() {
    throw_if_interrupted();
    if (progress_ != nullptr) progress_->update("pruning", done_, steps_);
    ++done_;
  }

  /// A prune by another policy that was cut off may have told the catalogue that something is removed which
  /// is kept now: nobody would miss it.
  void expect_kept(const PruneReport& report) {
    std::vector<CatalogueLine> lines;
    for (const PruneDecision& decision : report.decisions) {
      if (decision.fate == Fate::remove) continue;
      const Expectation* expected = catalogue_.catalogue().find(decision.backup.id.to_string());
      if (expected == nullptr || expected->must_be_there) continue;
      CatalogueLine line = catalogue_line(CatalogueEvent::stored, decision.backup, clock_.now());
      if (expected->allows(line.manifest_sha256)) lines.push_back(std::move(line));
    }
    catalogue_.append(lines);
  }

  /// Removes backups in the order given. The catalogue says so of all of them before the first one goes. Each
  /// gets a name that no reader looks at, so that a removal which is cut off leaves no half backup; what is
  /// left under such a name is removed by whoever works here next.
  void remove(const std::vector<const Manifest*>& manifests) {
    if (manifests.empty()) return;
    throw_if_interrupted();
    const Timestamp now = clock_.now();
    std::vector<CatalogueLine> lines;
    lines.reserve(manifests.size());
    for (const Manifest* manifest : manifests)
      lines.push_back(catalogue_line(CatalogueEvent::removing, *manifest, now));
    catalogue_.append(lines);
    for (const Manifest* manifest : manifests) {
      const std::filesystem::path folder = repository_.folder_of(manifest->id);
      if (::rename(folder.c_str(), dying_name(*manifest).c_str()) != 0)
        throw_system_error(errno, "cannot rename", folder);
    }
    sync_folder(repository_.path());
    for (const Manifest* manifest : manifests) {
      step();
      std::error_code error;
      std::filesystem::remove_all(dying_name(*manifest), error);
      if (!error) std::filesystem::remove(proof_path(repository_, manifest->id), error);
      if (error) throw_system_error(error.value(), "cannot remove", dying_name(*manifest));
    }
  }

  std::filesystem::path dying_name(const Manifest& manifest) const {
    return repository_.path() / fmt::format("{}removed-{}", partial_folder_prefix, manifest.id.to_string());
  }

  const Repository& repository_;
  Keyring& keyring_;
  const Clock& clock_;
  ProgressSink* progress_;
  CatalogueWriter catalogue_;
  std::uint64_t steps_ = 0;
  std::uint64_t done_ = 0;
};

std::int64_t estimate(const std::vector<PruneDecision>& decisions) {
  std::int64_t bytes = 0;
  for (const PruneDecision& decision : decisions) {
    if (decision.fate == Fate::remove) bytes += static_cast<std::int64_t>(decision.backup.file.size_bytes);
  }
  return bytes;
}

/// Without it deltas could not be merged, nor the catalogue say with its code that a backup was removed.
void require_key(const PruneReport& report, const PruneOptions& options) {
  const bool is_needed = std::ranges::any_of(report.decisions, [](const PruneDecision& one) {
    return one.fate != Fate::keep && one.backup.is_encrypted();
  });
  if (!is_needed || options.key != nullptr) return;
  throw DeniedError("encrypted backups are to be merged or removed, and no key is given",
                    "Give it by --passphrase-file FILE, --key-file FILE, --recovery-key-file FILE or "
                    "NERVE_PASSPHRASE.");
}

/// A backup that cannot be trusted today may be mended, or be readable for another user, and then needs those
/// that it leads back to; which they are is not known.
void require_all_readable(const PruneReport& report, const Repository& repository) {
  const bool removes = report.count(Fate::remove) + report.count(Fate::merge) > 0;
  if (report.unreadable.empty() || !removes) return;
  throw IntegrityError(
      fmt::format("{} backups in {} cannot be trusted, and what they need is not known; nothing is removed",
                  report.unreadable.size(), repository.path().string()),
      "See why: nerve-db backup verify --all. Mend these folders or move them out of the repository; then "
      "'nerve-db backup repair' makes the catalogue say what is there, and this can be run again.");
}

}  // namespace

std::string_view to_string(Fate fate) noexcept {
  switch (fate) {
    case Fate::keep:
      return "keep";
    case Fate::merge:
      return "merge";
    case Fate::remove:
      return "remove";
  }
  return "keep";
}

std::int64_t PruneReport::count(Fate fate) const noexcept {
  return std::ranges::count(decisions, fate, &PruneDecision::fate);
}

Json PruneReport::to_json() const {
  Json list = Json::array();
  for (const PruneDecision& decision : decisions) {
    list.push_back({{"id", decision.backup.id.to_string()},
                    {"created_at", decision.backup.created_at.to_text()},
                    {"source", decision.backup.source.path},
                    {"size_bytes", decision.backup.file.size_bytes},
                    {"fate", to_string(decision.fate)},
                    {"reasons", decision.reasons}});
  }
  return {{"done", done},
          {"kept", count(Fate::keep)},
          {"merged", count(Fate::merge)},
          {"removed", count(Fate::remove)},
          {"freed_bytes", freed_bytes},
          {"unreadable", unreadable},
          {"unauthenticated", unauthenticated},
          {"damaged", damaged},
          {"backups", std::move(list)}};
}

namespace {

/// What the policy does with each backup. Those of the histories in `damaged` all stay.
std::vector<PruneDecision> decisions_of(Candidates candidates, const std::vector<DamagedNewest>& damaged,
                                        const PruneOptions& options, const Timestamp& now) {
  for (const DamagedNewest& one : damaged) {
    for (Candidate& candidate : candidates[{one.backup.source.path, one.backup.line}])
      candidate.standing.is_of_damaged_history = true;
  }
  // What was made together is worth little alone, also where only one of the databases is pruned.
  keep_sets_whole(decide_all(candidates, options.policy, now), candidates);
  if (options.source) {
    std::erase_if(candidates, [wanted = source_name(*options.source)](const auto& one) {
      return one.first.first != wanted;
    });
  }
  return decide_all(candidates, options.policy, now);
}

void report_untrusted(const std::vector<Entry>& entries, PruneReport& report) {
  for (const Entry& entry : entries) {
    if (entry.manifest) continue;
    // What it needs is known: the rest of its generation or, for a plain copy, nothing.
    const bool is_known = entry.is_damage_noted && entry.distrusted;
    (entry.is_invented ? report.unauthenticated
     : is_known        ? report.damaged
                       : report.unreadable)
        .push_back(entry.name);
  }
}

/// What was sound of these histories is still there, and so it stays until there is something to go on with.
void require_newest_sound(const std::vector<DamagedNewest>& damaged, const Repository& repository) {
  if (damaged.empty()) return;
  std::vector<std::string> findings;
  findings.reserve(damaged.size());
  for (const DamagedNewest& one : damaged) {
    findings.push_back(
        fmt::format("{}, the newest backup of {} that would be kept, is damaged, so nothing of its history "
                    "was removed: {}",
                    one.backup.id.short_text(), one.backup.source.path, one.problem));
  }
  throw IntegrityError(
      fmt::format("{}", fmt::join(findings, "; ")),
      fmt::format("Make a new full, then prune again: nerve-db backup --full --db {} --repo {}",
                  shell_word(damaged.front().backup.source.path), shell_word(repository.path().string())));
}

}  // namespace

PruneReport prune(const Repository& any_repository, const PruneOptions& options, const Clock& clock,
                  ProgressSink* progress) {
  const Repository repository = any_repository.for_key(options.key);
  if (options.policy.is_empty()) {
    throw ValidationError("nothing says which backups are to be kept",
                          "Say how many, such as --keep-last 3 --keep-daily 7 --keep-weekly 5.");
  }
  const RepositoryLock lock =
      options.dry_run ? RepositoryLock::shared(repository) : RepositoryLock::exclusive(repository);
  PruneReport report;
  const std::vector<Entry> entries = repository.list();
  report_untrusted(entries, report);
  const Candidates candidates = candidates_of(repository, entries);
  report.decisions = decisions_of(candidates, {}, options, clock.now());
  require_key(report, options);
  if (options.dry_run) {
    report.freed_bytes = estimate(report.decisions);
    return report;
  }
  require_all_readable(report, repository);
  Keyring without_key;
  Keyring& keyring = options.key != nullptr ? *repository.keyring() : without_key;
  const std::vector<DamagedNewest> damaged =
      prove_newest_kept(repository, entries, report.decisions, keyring, lock, clock, progress);
  if (!damaged.empty()) report.decisions = decisions_of(candidates, damaged, options, clock.now());
  try {
    Prune(repository, keyring, clock, progress).carry_out(report);
  } catch (const IntegrityError& error) {
    throw IntegrityError(
        error.what(),
        "What is to be kept was not changed. See what can still be restored: nerve-db backup verify "
        "--all. Move what cannot out of the repository, then run it again.");
  }
  require_newest_sound(damaged, repository);
  return report;
}

}  // namespace nerve::backups
