// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include "nerve/backups/manifest.h"
#include "nerve/core/time.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a repository should hold: the file catalogue.jsonl, a line for each step of storing and removing,
/// each with the hash of the line before it (docs/backup_repository.md).
namespace nerve::backups {

/// Storing comes before a backup gets its name, stored after it; removing before it loses it.
enum class CatalogueEvent : std::uint8_t { storing, stored, removing };

struct CatalogueLine {
  CatalogueEvent event = CatalogueEvent::storing;
  Timestamp at;  ///< of the event
  BackupId id;
  Timestamp created_at;  ///< of the backup
  std::int64_t sequence = 0;
  std::string manifest_sha256;  ///< of the bytes of manifest.json
  std::string source;           ///< its source.path; empty in a line that does not say it
};

/// What the lines say of one backup.
struct Expectation {
  bool must_be_there = false;
  /// The last that says it is stored, and what came after.
  std::vector<CatalogueLine> lines;

  /// Whether its manifest may have this SHA-256: that of what was stored or of what was to take its place.
  bool allows(const std::string& manifest_sha256) const;
};

class Catalogue {
 public:
  /// A line that a crash cut off is passed over. Throws UnsupportedError for one of an unknown format, and
  /// what reading a file throws; what is wrong with its lines is in problems().
  static Catalogue read(const std::filesystem::path& repository);

  bool is_there() const noexcept { return is_there_; }

  /// What is expected of the backup; null for one that the catalogue does not know.
  const Expectation* find(const std::string& id) const;

  /// By id.
  const std::map<std::string, Expectation>& expectations() const noexcept { return expectations_; }

  /// The first line that is damaged or does not follow from the one before it; empty where all is well.
  const std::string& problem() const noexcept { return problem_; }

  std::int64_t highest_sequence() const noexcept { return highest_sequence_; }

 private:
  friend class CatalogueWriter;

  void take_line(std::string_view line, const std::filesystem::path& file);
  void take(const CatalogueLine& line);

  bool is_there_ = false;
  std::map<std::string, Expectation> expectations_;
  std::string problem_;
  std::int64_t highest_sequence_ = 0;
  std::size_t line_number_ = 0;
  std::size_t whole_bytes_ = 0;  ///< up to the end of the last whole line
  std::string last_hash_;        ///< of the last whole line; empty before the first
};

/// Adds lines, while every other writer waits. The lock ends with the object.
class CatalogueWriter {
 public:
  explicit CatalogueWriter(const std::filesystem::path& repository);

  const Catalogue& catalogue() const noexcept { return catalogue_; }

  /// Written and synced when it returns; where it throws, the line is taken back.
  void append(const CatalogueLine& line);
  /// All of them by one write and one sync, or none.
  void append(std::span<const CatalogueLine> lines);

  /// Begins the file anew with these lines, in one step. Only for those who hold the repository exclusively;
  /// nothing is appended afterwards.
  void replace(const std::vector<CatalogueLine>& lines);

  /// Begins it anew without the backups that were removed. One that is damaged is left as it is.
  void compact();

 private:
  void take_back_unsynced() noexcept;

  std::filesystem::path path_;
  Descriptor file_;
  Catalogue catalogue_;
};

/// The line that says of a backup what `event` is, with the hash of the manifest as it will be or is written.
CatalogueLine catalogue_line(CatalogueEvent event, const Manifest& manifest, const Timestamp& at);

}  // namespace nerve::backups
