// SPDX-License-Identifier: Apache-2.0
#include "kept_proof.h"

#include "container_backup.h"
#include "container_verification.h"
#include "damage_note.h"
#include "durable_file.h"
#include "partial_proof.h"
#include "repository_file.h"
#include "written_parts.h"

#include "nerve/backups/verification.h"
#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace nerve::backups {
namespace {

/// A prune counts what it removes, and bytes beside that would be read as backups.
class InPercent : public ProgressSink {
 public:
  explicit InPercent(ProgressSink* sink) : sink_(sink) {}

  void update(std::string_view /*phase*/, std::uint64_t done, std::uint64_t total) override {
    constexpr std::uint64_t all = 100;
    if (sink_ != nullptr && total > 0) sink_->update("proving what is kept", done * all / total, all);
  }

 private:
  ProgressSink* sink_;
};

/// The decisions of one database, under its name and line.
using DecidedHistory = std::vector<const PruneDecision*>;

std::vector<DecidedHistory> decided_histories(std::span<const PruneDecision> decisions) {
  std::map<std::pair<std::string, std::optional<LineId>>, DecidedHistory> histories;
  for (const PruneDecision& decision : decisions)
    histories[{decision.backup.source.path, decision.backup.line}].push_back(&decision);
  std::vector<DecidedHistory> list;
  list.reserve(histories.size());
  for (auto& [name, history] : histories) list.push_back(std::move(history));
  return list;
}

/// The newest that latest() can mean; else, where only such are kept, the newest of what restores kept. Null
/// where nothing good is kept.
const Manifest* newest_kept(const DecidedHistory& history) {
  const Manifest* newest = nullptr;
  const auto is_better = [&](const Manifest& one) {
    if (newest == nullptr) return true;
    const auto rank = [](const Manifest& any) {
      return std::pair(any.is_asked_for() && !any.is_emptied, any.sequence);
    };
    return rank(one) > rank(*newest);
  };
  for (const PruneDecision* decision : history) {
    const Manifest& one = decision->backup;
    if (decision->fate != Fate::remove && one.state == State::good && is_better(one)) newest = &one;
  }
  return newest;
}

/// When what a backup needs was proved, for each backup of its chain. Absent where that was not within
/// `proof_period`; a time in the future, after the clock was set back, says nothing.
std::vector<std::optional<Timestamp>> times_of_proof(const Repository& repository,
                                                     const std::vector<Manifest>& lineage,
                                                     const Timestamp& now) {
  std::vector<std::optional<Timestamp>> times(lineage.size());
  const std::optional<WholeProof> whole = whole_proof(repository, lineage.front().id);
  // Each proof of a backup covers those that it leads back to, so the last one comes first.
  std::optional<Timestamp> best;
  for (std::size_t place = lineage.size(); place > 0; --place) {
    const BackupId& id = lineage[place - 1].id;
    const auto take = [&](const Timestamp& time) {
      if (time <= now && now - time < proof_period) best = best ? std::max(*best, time) : time;
    };
    if (whole && whole->through == id) take(whole->since);
    if (const std::optional<Verification> proof = last_verification(repository, id)) take(proof->verified_at);
    times[place - 1] = best;
  }
  return times;
}

class NewestProof {
 public:
  NewestProof(const Repository& repository, std::span<const Entry> entries, Keyring& keyring,
              const RepositoryLock& lock, const Clock& clock, ProgressSink* progress)
      : repository_(repository),
        entries_(entries),
        keyring_(keyring),
        lock_(lock),
        clock_(clock),
        progress_(progress) {}

  /// What is wrong; empty where nothing is.
  std::string prove(const Manifest& newest) {
    const Timestamp now = clock_.now();
    const std::vector<Manifest> lineage =
        newest.container ? lineage_in(entries_, newest) : std::vector<Manifest>{newest};
    const std::vector<std::optional<Timestamp>> times = times_of_proof(repository_, lineage, now);
    if (times.back()) return {};
    std::set<BackupId> proved;
    Timestamp since = now;
    for (std::size_t place = 0; place < lineage.size() && times[place]; ++place) {
      proved.insert(lineage[place].id);
      since = std::min(since, *times[place]);
    }
    std::string problem = newest.container ? read_chain(lineage, proved) : read_plain_copy(newest);
    if (problem.empty()) keep_whole_proof(repository_, lineage.front().id, {newest.id, since});
    return problem;
  }

 private:
  std::string read_chain(const std::vector<Manifest>& lineage, const std::set<BackupId>& proved) {
    require_key(lineage.back());
    std::vector<const Manifest*> manifests;
    manifests.reserve(lineage.size());
    for (const Manifest& one : lineage) manifests.push_back(&one);
    std::string found;
    ContainerVerification chain(repository_, manifests, keyring_, &progress_);
    chain.take_as_proved(proved);
    chain.run([&](const Manifest& manifest, const std::string& problem, bool is_own) {
      if (is_own) note_damage(repository_, manifest.id, problem, clock_, &lock_);
      if (found.empty()) found = problem;
    });
    return found;
  }

  std::string read_plain_copy(const Manifest& copy) {
    const std::filesystem::path path = repository_.folder_of(copy.id) / copy.file.name;
    std::string problem;
    try {
      const Descriptor file = open_repository_file(path, O_RDONLY);
      drop_from_cache(file);
      const StoredFile found = describe_file(file, path, &progress_);
      if (found.size_bytes == copy.file.size_bytes && found.sha256 == copy.file.sha256) return {};
      problem = fmt::format("{} was altered: its SHA-256 is not that of the manifest", path.string());
    } catch (const IntegrityError& error) {
      problem = error.what();
    } catch (const NotFoundError& error) {
      problem = error.what();
    }
    note_damage(repository_, copy.id, problem, clock_, &lock_);
    return problem;
  }

  void require_key(const Manifest& newest) const {
    if (!newest.is_encrypted() || keyring_.has_key()) return;
    throw DeniedError(
        fmt::format("{} is the newest backup of {} that is kept, and has to be proved before older ones go; "
                    "it is encrypted, and no key is given",
                    newest.id.short_text(), newest.source.path),
        "Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE.");
  }

  const Repository& repository_;
  std::span<const Entry> entries_;
  Keyring& keyring_;
  const RepositoryLock& lock_;
  const Clock& clock_;
  InPercent progress_;
};

}  // namespace

std::vector<DamagedNewest> prove_newest_kept(const Repository& repository, std::span<const Entry> entries,
                                             std::span<const PruneDecision> decisions, Keyring& keyring,
                                             const RepositoryLock& lock, const Clock& clock,
                                             ProgressSink* progress) {
  NewestProof proof(repository, entries, keyring, lock, clock, progress);
  std::vector<DamagedNewest> damaged;
  for (const DecidedHistory& history : decided_histories(decisions)) {
    const bool is_cut =
        std::ranges::any_of(history, [](const PruneDecision* one) { return one->fate == Fate::remove; });
    const Manifest* newest = is_cut ? newest_kept(history) : nullptr;
    if (newest == nullptr) continue;
    std::string problem = proof.prove(*newest);
    if (!problem.empty()) damaged.push_back({*newest, std::move(problem)});
  }
  return damaged;
}

}  // namespace nerve::backups
