// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/maintenance.h"

#include "sqlite/remedies.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/progress.h"

#include <nlohmann/json.hpp>

#include <system_error>

namespace nerve::sqlite {

namespace {

std::uint64_t bytes_on_disk(const std::filesystem::path& database) {
  std::uint64_t sum = 0;
  for (const std::string_view suffix : {"", "-wal"}) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(companion(database, suffix), absent);
    if (!absent) sum += size;
  }
  return sum;
}

/// Cuts the write-ahead log; false where another connection stands in the way. Harmless without one.
bool cut_wal(Session& session) {
  return session.integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
}

/// Does one proposal; returns a remark where it was done in part.
std::string perform(Session& session, const Proposal& proposal) {
  if (proposal.task == Task::checkpoint) {
    if (cut_wal(session)) return {};
    const Holders holders = find_holders(session.path());
    throw ConnectionError("another connection reads or writes " + session.path().string(),
                          holders.processes.empty()
                              ? "Try again when it has ended its transaction."
                              : "These have the file open: " + holders.describe() + ".");
  }
  session.execute(proposal.statement);
  const bool is_about_space = proposal.task == Task::vacuum || proposal.task == Task::incremental_vacuum;
  // In WAL mode the smaller database is in the log until it is checkpointed.
  if (is_about_space && !cut_wal(session)) return "the file shrinks when the readers of now have ended";
  return {};
}

void require_sound(Session& session, ProgressSink* progress) {
  const Damage damage = quick_check(session, progress);
  if (!damage.is_found() || damage.is_only_in_indexes()) return;
  throw IntegrityError(session.path().string() + " is damaged: " + damage.describe(),
                       restore_hint(session.path()));
}

Applied apply_one(Session& session, const Proposal& proposal) {
  Applied applied{.task = proposal.task, .statement = proposal.statement};
  applied.size_bytes_before = bytes_on_disk(session.path());
  if (!proposal.obstacle.empty()) {
    applied.message = proposal.obstacle;
  } else {
    try {
      applied.message = perform(session, proposal);
      applied.outcome = Outcome::done;
    } catch (const CancelledError&) {
      throw;
    } catch (const Error& error) {
      applied.outcome = Outcome::failed;
      applied.message = error.what();
      if (!error.hint().empty()) applied.message += "; " + error.hint();
    }
  }
  applied.size_bytes_after = bytes_on_disk(session.path());
  return applied;
}

}  // namespace

std::string_view to_string(Task task) noexcept {
  switch (task) {
    case Task::reindex:
      return "reindex";
    case Task::analyze:
      return "analyze";
    case Task::checkpoint:
      return "checkpoint";
    case Task::vacuum:
      return "vacuum";
    case Task::incremental_vacuum:
      return "incremental_vacuum";
    case Task::redundant_index:
      return "redundant_index";
  }
  return "analyze";
}

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::failed:
      return "failed";
    case Outcome::skipped:
      return "skipped";
  }
  return "failed";
}

Json Proposal::to_json() const {
  return {{"task", to_string(task)},
          {"reason", reason},
          {"value", value},
          {"statement", statement},
          {"gain", gain},
          {"gain_bytes", gain_bytes},
          {"needs_exclusive_lock", needs_exclusive_lock},
          {"obstacle", obstacle},
          {"is_advice", is_advice()}};
}

Json Applied::to_json() const {
  return {{"task", to_string(task)},
          {"statement", statement},
          {"outcome", to_string(outcome)},
          {"message", message},
          {"size_bytes_before", size_bytes_before},
          {"size_bytes_after", size_bytes_after}};
}

std::vector<Applied> apply(Session& session, const std::vector<Proposal>& proposals, ProgressSink* progress) {
  std::vector<Applied> results;
  if (proposals.empty()) return results;
  require_sound(session, progress);
  for (const Proposal& proposal : proposals) {
    throw_if_interrupted();
    if (progress != nullptr) progress->update(to_string(proposal.task), results.size(), proposals.size());
    results.push_back(apply_one(session, proposal));
  }
  return results;
}

}  // namespace nerve::sqlite
