// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/core/json.h"
#include "nerve/core/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

struct BackupTag;

/// UUIDv7, so that ids sort by the time they were made. People type its last 8 characters.
using BackupId = Id<BackupTag>;

struct SetTag;

/// Of several databases that were backed up in the state of one moment.
using SetId = Id<SetTag>;

/// The version of the repository and of the manifests of plain copies.
inline constexpr std::int64_t format_version = 1;
/// The version of the manifests of containers; programs before it refuse them.
inline constexpr std::int64_t container_manifest_version = 2;

/// Whether a backup can be restored. A damaged one is of a database that was already damaged, its pages in a
/// container or its files as they lay; it is kept for those who want to salvage rows from it.
enum class State : std::uint8_t { good, damaged };

/// Who asked for a backup: a person, or a restore that was about to replace the database.
enum class Kind : std::uint8_t { manual, safety };

/// Permission bits as four octal digits, such as "0640".
std::string mode_text(unsigned int mode);

std::string_view to_string(State state) noexcept;
std::string_view to_string(Kind kind) noexcept;

struct LineTag;

/// One history of a database: what was backed up under one path can be several databases, one after the other
/// or side by side.
using LineId = Id<LineTag>;

/// By what a file is known again under its name. Two files have one identity only where the clock of their
/// file system was set back.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::int64_t born_at_ns = 0;  ///< since 1970; 0 where the file system does not keep it

  bool operator==(const FileIdentity&) const = default;
};

/// The database as it was found.
struct Source {
  std::string path;                                 ///< absolute, symbolic links resolved
  std::uint64_t size_bytes = 0;                     ///< of the main file, without its -wal
  std::string journal_mode;                         ///< "wal" or "rollback"; empty in a damaged backup
  std::string mode = {};                            ///< permissions as "0640"; empty where they are not known
  std::optional<FileIdentity> file = std::nullopt;  ///< absent in older backups
};

/// What SQLite says of the copy. Zero or empty in a damaged backup.
struct SqliteFacts {
  std::string library_version;  ///< of the library that made the copy
  std::int64_t page_size_bytes = 0;
  std::int64_t page_count = 0;
  std::int64_t user_version = 0;
  std::int64_t application_id = 0;
  std::string encoding;
  std::string schema_sha256;  ///< as docs/backup_repository.md defines it
};

/// A file beside the manifest.
struct StoredFile {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string sha256;  ///< lower-case hex; empty for a container, which has seals of its own
};

/// A backup that is a container (docs/backup_format.md) and not a plain copy.
struct ContainerFacts {
  BackupId generation;             ///< of the full that its deltas lead back to
  std::optional<BackupId> parent;  ///< what it is a delta to; absent for a full
  std::int64_t depth = 0;          ///< 0 for a full; for a delta more than that of its parent
  std::int64_t stored_pages = 0;
  bool is_encrypted = false;
  /// The delta that a full was made of by consolidation; absent where it was made of the database.
  std::optional<BackupId> consolidated_from = std::nullopt;
};

/// By what a manifest is authenticated: a code under the key of its container. docs/backup_repository.md,
/// "Authentication".
struct Authentication {
  std::string
      key;  ///< which one, and how it is made: "passphrase:17:8:1:SALT:CHECK" or "key_file:SALT:CHECK"
  std::string code;                 ///< lower-case hex; empty until it is made
  std::string content_sha256 = {};  ///< what the code is of; not stored
};

/// A backup that was made together with those of other databases.
struct SetFacts {
  SetId id;
  std::string role;                ///< which of them it is
  std::vector<std::string> roles;  ///< of all
};

struct TableRows {
  std::string name;
  std::int64_t rows = 0;
};

/// The checks that passed before the backup was called good. Empty in a damaged one.
struct Checks {
  std::string source;  ///< "quick_check" or "integrity_check"; "none" where it was not to be checked
  std::string copy;    ///< "integrity_check"; of a container "hashes": each page has one
  std::int64_t foreign_key_violations = 0;  ///< found in the copy; they do not make a backup bad
};

/// What a backup says of itself: the contents of its manifest.json (docs/backup_repository.md).
struct Manifest {
  BackupId id;
  Timestamp created_at;
  std::string program_version;
  State state = State::good;
  Kind kind = Kind::manual;
  std::int64_t sequence =
      0;                  ///< rises with each backup of a repository, whatever the clock says; 0 in old ones
  bool has_rows = false;  ///< whether any table holds one
  bool is_emptied = false;  ///< it holds no row, and an earlier good backup of the database does
  Source source;
  SqliteFacts sqlite;
  StoredFile file;
  std::vector<StoredFile> companions;       ///< the -wal and -journal of a damaged backup
  std::optional<ContainerFacts> container;  ///< absent for a plain copy
  std::optional<SetFacts> set;              ///< absent for one that was made alone
  /// The history that it belongs to; absent in those that go on from a backup without one.
  std::optional<LineId> line;
  std::optional<Authentication> authentication;  ///< absent where it is not encrypted, and in older ones
  std::vector<TableRows> tables;                 ///< by name; empty where they were not counted
  Checks checks;
  std::int64_t duration_ms = 0;

  /// Absent where rows were not counted: in an encrypted backup, and when the source was not to be checked.
  std::optional<std::int64_t> rows_total() const noexcept;

  bool is_encrypted() const noexcept { return container && container->is_encrypted; }

  /// Whether somebody asked for it and it can be restored: not what a restore or a migration kept by itself.
  bool is_asked_for() const noexcept { return state == State::good && kind != Kind::safety; }

  /// Of the database, which for a container is not the size of its file.
  std::uint64_t database_bytes() const noexcept;

  /// As in the file, without its own hash.
  Json to_json() const;

  /// SHA-256 of what an authentication covers: all of it but the code and its own hash.
  std::string content_sha256() const;
};

/// The text of manifest.json: indented JSON with `manifest_sha256`, and a final newline.
std::string manifest_text(const Manifest& manifest);

/// Reads that text again; `name` stands for it in messages. Fields it does not know are covered by the hash
/// and otherwise passed over.
///
/// Throws IntegrityError when the text is not a manifest or does not match its own hash, UnsupportedError
/// when its format is not `format_version`.
///
/// Of a text that is known to be the one that was written, by another hash, the own hash is not computed once
/// more.
Manifest parse_manifest(std::string_view text, std::string_view name, bool is_known_text = false);

}  // namespace nerve::backups
