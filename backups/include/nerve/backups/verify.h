// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

struct VerifyOptions {
  bool deep = false;               ///< also integrity_check, row counts, foreign keys and the content digest
  const BackupKey* key = nullptr;  ///< opens encrypted backups; borrowed
  /// Where a deep look writes the database of a container, to a file that is gone at the end; what a look
  /// that was killed left there is removed by the next one. Empty means the repository, except for an
  /// encrypted backup, which must not leave its text there.
  std::filesystem::path scratch = {};
};

/// Under this name verify_all() tells what is wrong with the catalogue of the repository.
inline constexpr std::string_view catalogue_report_id = "catalogue";

/// What verification found. Nothing wrong means no problems.
struct VerifyReport {
  std::string id;              ///< of the backup, or catalogue_report_id
  std::string source;          ///< the database it is of; empty when the manifest cannot be trusted
  std::optional<State> state;  ///< as the manifest has it; absent when that cannot be trusted
  bool deep = false;
  bool is_unauthenticated = false;    ///< nothing proves that who made it had the key (Entry)
  std::vector<std::string> problems;  ///< one line each, naming the file
  /// When deep, "TABLE: why": what could not be checked of the database, for a collation or a function that
  /// only its application has. No problem of the backup.
  std::vector<std::string> unchecked;
  std::int64_t rows = 0;                    ///< counted in the copy when deep
  std::int64_t foreign_key_violations = 0;  ///< counted when deep; they are not problems of the backup
  std::string content_sha256;  ///< when deep: equal for databases of equal content (docs/content_digest.md)

  bool ok() const noexcept { return problems.empty(); }

  /// Whether it is of a database that was damaged: then ok() says that the copy is what was found, and
  /// nothing of what it is worth.
  bool is_of_damaged_source() const noexcept { return state == State::damaged; }

  /// {"id", "ok", "state", "deep", "problems", "unchecked", "rows", "foreign_key_violations",
  /// "content_sha256"}; the last four when deep, `state` null when it is not known.
  Json to_json() const;
};

/// Compares a backup with its manifest: names, sizes, SHA-256 and, when deep, what SQLite says of the file.
///
/// Of a container each page is compared with its hash, also those of the containers that it leads back to. A
/// mismatch is in the report, not thrown. A backup of state damaged is held to its hashes only. Throws
/// DeniedError when it cannot be read or the key is not the right one, ValidationError where `scratch` is
/// needed, and CancelledError.
VerifyReport verify_backup(const Repository& repository, const Manifest& manifest,
                           const VerifyOptions& options, ProgressSink* progress = nullptr);

/// One report for each entry of the repository, oldest first; an entry with a damaged manifest has that as
/// its problem. One more where the catalogue is not what it should be.
std::vector<VerifyReport> verify_all(const Repository& repository, const VerifyOptions& options,
                                     ProgressSink* progress = nullptr);

}  // namespace nerve::backups
