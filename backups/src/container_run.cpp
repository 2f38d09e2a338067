// SPDX-License-Identifier: Apache-2.0
#include "container_run.h"

#include "backup_steps.h"
#include "database_facts.h"
#include "full_age.h"
#include "page_state_cache.h"
#include "partial_proof.h"
#include "recovery.h"
#include "table_rows.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/core/interrupt.h"

#include <chrono>
#include <cstdint>

namespace nerve::backups {
namespace {

constexpr std::uint32_t pages_between_reports = 256;
constexpr std::chrono::hours damaged_interval{24};

}  // namespace

ContainerRun::ContainerRun(const sqlite::FileFacts& facts, const Repository& repository,
                           const BackupOptions& options, const Clock& clock, ProgressSink* progress)
    : facts_(facts),
      repository_(repository.for_key(options.key)),
      options_(options),
      clock_(clock),
      progress_(progress),
      manifest_(new_manifest(facts, options, clock)),
      partial_(repository_, manifest_.id),
      keyring_(options.key != nullptr ? *repository_.keyring() : without_key_) {
  find_what_it_continues();
}

void ContainerRun::find_what_it_continues() {
  const std::vector<Entry> entries = repository_.list();
  require_key_of_encrypted(facts_, repository_, entries, keyring_);
  continuation_ = continue_history(facts_, repository_, entries, options_, keyring_, manifest_);
  options_ = with_due_full(options_, entries, manifest_.source.path, manifest_.line, clock_);
  if (!continuation_.is_new_line) {
    generation_ = find_generation(facts_, repository_, entries, manifest_.line, options_, keyring_, clock_);
  }
  if (!generation_) require_space_for_full(facts_, repository_);
}

void ContainerRun::pin() {
  try {
    snapshot_ = std::make_unique<Snapshot>(facts_, source_options(facts_, options_));
    require_whole(snapshot_->session());
    // What a restore to a point in time goes by.
    manifest_.created_at = clock_.now();
  } catch (const IntegrityError& error) {
    // SQLite gives the pages of such a database back in part, if at all: its files are kept.
    snapshot_.reset();
    damage_ = error;
  }
}

void ContainerRun::store() {
  if (!snapshot_) keep_files_and_throw(*damage_, facts_, repository_, options_, clock_, progress_);
  try {
    tell_unchecked(options_, check_source(snapshot_->session(), options_.check, progress_));
  } catch (const IntegrityError& error) {
    if (!options_.keep_damaged) throw;
    if (const std::optional<BackupId> kept = kept_lately()) throw DamagedSourceError(error.what(), {}, *kept);
    damage_ = error;
    manifest_.state = State::damaged;
  }
  describe();
  manifest_.checks.copy = "hashes";
  write_container(
      snapshot_->shape(), [this](const TakePage& take) { read_pages(take); }, generation_, keyring_, partial_,
      manifest_);
  keep_recovery_slots(repository_, options_, manifest_, keyring_, partial_);
}

/// A timer would fill the disk with what is damaged.
std::optional<BackupId> ContainerRun::kept_lately() const {
  for (const Entry& entry : repository_.list()) {
    const bool is_damaged = entry.manifest && entry.manifest->state == State::damaged &&
                            entry.manifest->container && entry.manifest->source.path == manifest_.source.path;
    if (is_damaged &&
        std::chrono::abs(manifest_.created_at - entry.manifest->created_at) < damaged_interval) {
      return entry.manifest->id;
    }
  }
  return std::nullopt;
}

Manifest ContainerRun::publish() {
  if (!damage_) settle_history(repository_, continuation_, options_, manifest_);
  partial_.publish(manifest_, clock_, continuation_.sequence_before);
  if (!damage_ && generation_ && manifest_.container->parent) {
    keep_page_state(repository_, manifest_, generation_->state, keyring_);
    keep_proof(repository_, manifest_.container->generation, generation_->proof);
  }
  if (damage_) throw DamagedSourceError(damage_->what(), {}, manifest_.id);
  return manifest_;
}

/// What SQLite says of the database. Of a damaged one it is no more than what its pages need: each statement
/// may fail.
void ContainerRun::describe() {
  if (damage_) {
    manifest_.sqlite.library_version = snapshot_->session().text("SELECT sqlite_version()");
    manifest_.sqlite.page_size_bytes = snapshot_->shape().page_size_bytes;
    manifest_.sqlite.page_count = snapshot_->shape().page_count;
    return;
  }
  manifest_.sqlite = sqlite_facts(snapshot_->session());
  manifest_.has_rows = has_rows(snapshot_->session());
  if (options_.key != nullptr) {
    manifest_.sqlite.schema_sha256.clear();
  } else if (options_.check != SourceCheck::none) {
    manifest_.tables = table_rows(snapshot_->session(), progress_);
    manifest_.checks.foreign_key_violations =
        sqlite::check_foreign_keys(snapshot_->session(), progress_).total();
  }
}

void ContainerRun::read_pages(const TakePage& take) {
  const SnapshotShape shape = snapshot_->shape();
  snapshot_->read_pages([&](std::uint32_t number, ByteView page) {
    take(number, page);
    if (number % pages_between_reports != 0) return;
    throw_if_interrupted();
    if (progress_ != nullptr) {
      progress_->update("backing up", std::uint64_t{number} * shape.page_size_bytes,
                        std::uint64_t{shape.page_count} * shape.page_size_bytes);
    }
  });
}

}  // namespace nerve::backups
