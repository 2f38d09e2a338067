// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/verify.h"

#include "container/chain.h"
#include "container_backup.h"
#include "container_verification.h"
#include "damage_note.h"
#include "database_facts.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "scratch_file.h"
#include "table_rows.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace nerve::backups {
namespace {

void compare_file(const std::filesystem::path& folder, const StoredFile& expected, VerifyReport& report,
                  ProgressSink* progress) {
  try {
    const StoredFile found = describe_file(folder / expected.name, progress);
    if (found.size_bytes != expected.size_bytes) {
      report.problems.push_back(
          fmt::format("{} has {} bytes instead of {}", expected.name, found.size_bytes, expected.size_bytes));
    } else if (found.sha256 != expected.sha256) {
      report.problems.push_back(
          fmt::format("{} was altered: its SHA-256 is not that of the manifest", expected.name));
    }
  } catch (const NotFoundError&) {
    report.problems.push_back(fmt::format("{} is missing", expected.name));
  }
}

/// A -wal that somebody else's program left beside the copy would change what SQLite reads from it.
void find_foreign_files(const std::filesystem::path& folder, const Manifest& manifest, VerifyReport& report) {
  for (const std::string& name : file_names(folder)) {
    const bool is_known = name == manifest_file_name || name == verification_file_name ||
                          name == hold_file_name || name == damage_file_name || name == recovery_file_name ||
                          name == manifest.file.name ||
                          std::any_of(manifest.companions.begin(), manifest.companions.end(),
                                      [&](const StoredFile& companion) { return companion.name == name; });
    if (!is_known) report.problems.push_back(fmt::format("{} does not belong to the backup", name));
  }
}

void look_into(const std::filesystem::path& path, const Manifest& manifest, VerifyReport& report,
               ProgressSink* progress) {
  sqlite::SessionOptions options;
  options.mode = sqlite::OpenMode::immutable;
  sqlite::Session copy(path, options);
  sqlite::Damage damage = sqlite::integrity_check(copy, progress);
  report.unchecked = std::move(damage.unchecked);
  if (damage.is_found()) {
    report.problems.push_back(fmt::format("{} is damaged: {}", manifest.file.name, damage.describe()));
    return;
  }
  const std::vector<TableRows> tables = table_rows(copy, progress);
  for (const TableRows& table : tables) report.rows += table.rows;
  if (manifest.rows_total()) {
    for (const std::string& difference : compare_rows(manifest, tables)) {
      report.problems.push_back(fmt::format("{}: {}", manifest.file.name, difference));
    }
  }
  add_virtual_tables(sqlite::check_virtual_tables(copy, sqlite::VirtualTableCheck::whole, progress),
                     report.unchecked);
  report.foreign_key_violations = sqlite::check_foreign_keys(copy, progress).total();
  report.content_sha256 = sqlite::combine_digests(sqlite::digest_content(copy, progress));
}

/// Restores a container to look into its database.
void look_into_container(const ContainerVerification& containers, const Repository& repository,
                         const Manifest& manifest, const VerifyOptions& options, Keyring& keyring,
                         VerifyReport& report, ProgressSink* progress) {
  if (manifest.is_encrypted() && options.scratch.empty()) {
    throw ValidationError(
        "a deep look at an encrypted backup writes the database to a file, and no folder is named for that",
        "Name one with --scratch on a device that you trust with its content, such as /dev/shm.");
  }
  const Chain chain(containers.paths(), keyring);
  const std::filesystem::path folder = options.scratch.empty() ? repository.path() : options.scratch;
  require_space(folder, chain.size_bytes());
  const ScratchFile scratch(folder, manifest.id);
  chain.restore(scratch.file(), scratch.path(), "restoring to look into it", progress);
  look_into(scratch.path(), manifest, report, progress);
}

/// Takes what is wrong with a container into the report of its backup, and looks into its database where that
/// is asked for.
void report_containers(const Repository& repository, const std::vector<const Manifest*>& manifests,
                       const std::map<BackupId, VerifyReport*>& reports, const VerifyOptions& options,
                       ProgressSink* progress) {
  Keyring without_key;
  Keyring& keyring = repository.keyring() != nullptr ? *repository.keyring() : without_key;
  ContainerVerification containers(repository, manifests, keyring, progress);
  containers.run([&](const Manifest& manifest, const std::string& problem, bool is_own) {
    if (is_own) {
      note_damage(repository, manifest.id, problem, system_clock());
    } else if (problem.empty() && noted_damage(repository.folder_of(manifest.id))) {
      forget_damage(repository, manifest.id);
    }
    const auto found = reports.find(manifest.id);
    if (found == reports.end()) return;
    VerifyReport& report = *found->second;
    if (!problem.empty()) {
      report.problems.push_back(problem);
    } else if (report.deep) {
      try {
        look_into_container(containers, repository, manifest, options, keyring, report, progress);
      } catch (const IntegrityError& error) {
        report.problems.emplace_back(error.what());
      }
    }
  });
}

/// All but what is in a container.
VerifyReport verify_files(const Repository& repository, const Manifest& manifest,
                          const VerifyOptions& options, ProgressSink* progress) {
  const std::filesystem::path folder = repository.folder_of(manifest.id);
  VerifyReport report;
  report.id = manifest.id.to_string();
  report.source = manifest.source.path;
  report.state = manifest.state;
  report.deep = options.deep && manifest.state == State::good;
  find_foreign_files(folder, manifest, report);
  if (manifest.container) return report;
  compare_file(folder, manifest.file, report, progress);
  for (const StoredFile& companion : manifest.companions) compare_file(folder, companion, report, progress);
  if (report.ok() && noted_damage(folder)) forget_damage(repository, manifest.id);
  if (!report.deep || !report.ok()) return report;
  try {
    look_into(folder / manifest.file.name, manifest, report, progress);
  } catch (const IntegrityError& error) {
    report.problems.emplace_back(error.what());
  }
  return report;
}

}  // namespace

Json VerifyReport::to_json() const {
  Json json = {{"id", id}, {"ok", ok()}, {"deep", deep}, {"problems", problems}};
  json["state"] = state ? Json(to_string(*state)) : Json();
  if (deep) {
    json["unchecked"] = unchecked;
    json["rows"] = rows;
    json["foreign_key_violations"] = foreign_key_violations;
    json["content_sha256"] = content_sha256;
  }
  return json;
}

VerifyReport verify_backup(const Repository& any_repository, const Manifest& manifest,
                           const VerifyOptions& options, ProgressSink* progress) {
  const Repository repository = any_repository.for_key(options.key);
  const RepositoryLock lock = RepositoryLock::shared(repository);
  // Read again, since it may have been merged before the lock was had.
  const Manifest current = repository.read(manifest.id);
  VerifyReport report = verify_files(repository, current, options, progress);
  if (!current.container) return report;
  try {
    const std::vector<Manifest> lineage = lineage_of(repository, current);
    std::vector<const Manifest*> manifests;
    manifests.reserve(lineage.size());
    for (const Manifest& one : lineage) manifests.push_back(&one);
    report_containers(repository, manifests, {{current.id, &report}}, options, progress);
  } catch (const IntegrityError& error) {
    report.problems.emplace_back(error.what());
  } catch (const NotFoundError& error) {
    report.problems.emplace_back(error.what());
  }
  return report;
}

std::vector<VerifyReport> verify_all(const Repository& any_repository, const VerifyOptions& options,
                                     ProgressSink* progress) {
  const Repository repository = any_repository.for_key(options.key);
  const RepositoryLock lock = RepositoryLock::shared(repository);
  const std::vector<Entry> entries = repository.list();
  std::vector<VerifyReport> reports;
  // Not one of them moves when the next is added, for there are pointers to them.
  reports.reserve(entries.size() + 1);
  std::vector<const Manifest*> manifests;
  std::map<BackupId, VerifyReport*> report_of;
  for (const Entry& entry : entries) {
    // What was found damaged before is read again: somebody may have put a good copy in its place.
    const bool is_worth_reading = entry.manifest || (entry.distrusted && entry.is_damage_noted);
    if (!is_worth_reading) {
      VerifyReport report;
      report.id = entry.name;
      report.is_unauthenticated = entry.is_unauthenticated;
      report.problems = {entry.problem};
      reports.push_back(std::move(report));
      continue;
    }
    const Manifest& manifest = entry.manifest ? *entry.manifest : *entry.distrusted;
    reports.push_back(verify_files(repository, manifest, options, progress));
    if (!manifest.container) continue;
    manifests.push_back(&manifest);
    report_of.emplace(manifest.id, &reports.back());
  }
  report_containers(repository, manifests, report_of, options, progress);
  const std::vector<std::string> problems = repository.catalogue_problems();
  if (!problems.empty()) {
    VerifyReport report;
    report.id = catalogue_report_id;
    report.problems = problems;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace nerve::backups
