// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/time.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
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
  /// The key of an encrypted backup, as key_text() has it; its line has a code under that key.
  std::string key = {};
  bool is_authenticated = false;  ///< the code was compared, and is right
};

/// More than a backup a second for a hundred years.
inline constexpr std::int64_t sequence_step_max = std::int64_t{1} << 32U;

/// Whether a backup can have the number `sequence` where the highest so far is `before`. No step is so high
/// that planted numbers could use all of them up.
bool is_plausible_after(std::int64_t sequence, std::int64_t before);

/// What the lines say of one backup.
struct Expectation {
  bool must_be_there = false;
  /// The last that says it is stored, and what came after; of very many of these the newest.
  std::vector<CatalogueLine> lines;

  /// Whether its manifest may have this SHA-256: that of what was stored or of what was to take its place.
  bool allows(const std::string& manifest_sha256) const;
};

class Catalogue {
 public:
  /// A line that a crash cut off is passed over, and what was removed is forgotten: memory is that of the
  /// backups that there are or should be. Throws UnsupportedError for one of an unknown format, and
  /// what reading a file throws; what is wrong with its lines is in problems().
  /// With a keyring the codes of those lines are compared whose key it has.
  /// has_watched_line() says whether one of the lines has the SHA-256 `watched`.
  static Catalogue read(const std::filesystem::path& repository, Keyring* keyring,
                        const std::string& watched = {});

  /// The same of a repository, with its keyring. Of what is as it was at the last look, only the bytes are
  /// compared.
  static Catalogue read(const Repository& repository, const std::string& watched = {});

  bool is_there() const noexcept { return is_there_; }

  /// What is expected of the backup; null for one that the catalogue does not know or that was removed.
  const Expectation* find(const std::string& id) const;

  /// By id.
  const std::map<std::string, Expectation>& expectations() const noexcept { return expectations_; }

  /// The first line that is damaged or does not follow from the one before it; empty where all is well.
  const std::string& problem() const noexcept { return problem_; }

  /// Whether who has the key has stored this backup.
  bool vouches_for(const std::string& id) const;

  /// Of the last whole line, as hex; empty where there is none.
  const std::string& last_hash() const noexcept { return last_hash_; }

  std::int64_t highest_sequence() const noexcept { return highest_sequence_; }

  bool has_watched_line() const noexcept { return has_watched_line_; }

  /// How often the file was begun anew, by a prune or a repair.
  std::int64_t times_begun() const noexcept { return times_begun_; }

 private:
  friend class CatalogueWriter;

  static Catalogue before_lines(const std::filesystem::path& repository, const std::string& watched);
  /// Takes all lines of the file's text; what is remembered of its beginning need not be parsed.
  void take_text(const std::string& text, const std::string& watched, Keyring* keyring,
                 const CatalogueMemory& memory);
  void remember(const std::string& text, CatalogueMemory& memory) const;
  void read_lines(const Descriptor& file, Keyring* keyring);
  /// Takes the lines that are whole from the beginning of `text`, and leaves the rest.
  void take_lines(std::string& text, Keyring* keyring);
  void take_line(std::string_view line, const std::filesystem::path& file, Keyring* keyring);
  void take(const CatalogueLine& line);
  /// For a line that is too long to be one.
  void pass_over_line();
  void tell(std::string problem);
  /// What the folder shows to be gone as it should.
  void forget_removed();

  std::filesystem::path repository_;
  std::filesystem::path file_;
  bool is_there_ = false;
  bool is_in_long_line_ = false;
  std::size_t bytes_before_text_ = 0;  ///< that take_lines() has taken away
  std::size_t forgetting_at_ = 0;  ///< the count of expectations from which on it is looked for removed ones
  std::map<std::string, Expectation> expectations_;
  std::string problem_;
  std::int64_t highest_sequence_ = 0;
  std::int64_t times_begun_ = 0;
  std::string watched_;
  bool has_watched_line_ = false;
  std::size_t line_number_ = 0;
  std::size_t whole_bytes_ = 0;  ///< up to the end of the last whole line
  std::string last_hash_;        ///< of the last whole line; empty before the first
};

/// The lines of a catalogue that were read, and what they say.
struct CatalogueMemory {
  std::mutex mutex;
  std::string text;
  std::optional<Catalogue> catalogue;  ///< absent where nothing is remembered
};

/// Adds lines, while every other writer waits. The lock ends with the object.
class CatalogueWriter {
 public:
  explicit CatalogueWriter(const Repository& repository);

  const Catalogue& catalogue() const noexcept { return catalogue_; }

  /// Written and synced when it returns; where it throws, the line is taken back.
  void append(const CatalogueLine& line);
  /// All of them by one write and one sync, or none.
  void append(std::span<const CatalogueLine> lines);

  /// Begins the file anew with these lines, in one step. Only for those who hold the repository exclusively;
  /// nothing is appended afterwards.
  void replace(const std::vector<CatalogueLine>& lines);

  /// Begins it anew without the backups that were removed. One that is damaged is left as it is, and one with
  /// lines under a key that is not at hand: their codes could not be made again.
  void compact();

 private:
  void take_back_unsynced() noexcept;

  std::string text_of(const CatalogueLine& line, const std::string& previous) const;

  std::filesystem::path path_;
  Keyring* keyring_;  ///< borrowed from the repository; null without a key
  Descriptor file_;
  Catalogue catalogue_;
};

/// The line that says of a backup what `event` is, with the hash of the manifest as it will be or is written.
CatalogueLine catalogue_line(CatalogueEvent event, const Manifest& manifest, const Timestamp& at);

}  // namespace nerve::backups
