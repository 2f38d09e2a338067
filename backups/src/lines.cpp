// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include "container_backup.h"
#include "file_identity.h"
#include "layout.h"
#include "witness.h"

#include "nerve/backends/sqlite/raw_file.h"
#include "nerve/backups/verification.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/shell.h"
#include "nerve/crypto/mac.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr std::uint32_t pages_at_once = 256;

bool was_restored_as(const Line& line, const std::string& source, const FileIdentity& identity,
                     const Repository& repository, std::span<const Entry> entries) {
  return std::ranges::any_of(entries, [&](const Entry& entry) {
    if (!entry.manifest || !is_of(*entry.manifest, source, line.id)) return false;
    // No key proves the note, and it must not choose among what a key proves.
    if (entry.manifest->is_encrypted()) return false;
    const std::optional<Verification> proof = last_verification(repository, entry.manifest->id);
    return proof && proof->restored_to == source && proof->restored_file == identity;
  });
}

const Line* find_line(const std::vector<Line>& lines, const std::string& source, const FileIdentity& identity,
                      const Repository& repository, std::span<const Entry> entries) {
  for (const Line& line : lines) {
    if (std::ranges::find(line.files, identity) != line.files.end()) return &line;
  }
  for (const Line& line : lines) {
    if (was_restored_as(line, source, identity, repository, entries)) return &line;
  }
  return nullptr;
}

/// The pages of a database file as they lie there. What its -wal holds is left out: of what is counted here,
/// only the magnitude matters.
class RawPages {
 public:
  explicit RawPages(const sqlite::FileFacts& facts)
      : file_(facts.path),
        page_bytes_(facts.header ? facts.header->page_size_bytes : 0),
        count_(page_bytes_ == 0 ? 0 : static_cast<std::uint32_t>(facts.size_bytes / page_bytes_)) {}

  std::uint32_t page_bytes() const noexcept { return page_bytes_; }
  std::uint32_t count() const noexcept { return count_; }

  /// Fewer where the file ends before.
  Bytes read(std::uint32_t first, std::uint32_t count) const {
    Bytes octets(std::size_t{std::min(count, count_ - (first - 1))} * page_bytes_);
    octets.resize(file_.read(std::uint64_t{first - 1} * page_bytes_, octets));
    return octets;
  }

 private:
  sqlite::RawFile file_;
  std::uint32_t page_bytes_;
  std::uint32_t count_;
};

std::uint64_t pages_like_container(const RawPages& pages, const Repository& repository,
                                   const Manifest& backup, Keyring& keyring) {
  const Chain chain = open_chain(repository, backup, keyring);
  if (chain.page_size_bytes() != pages.page_bytes()) return 0;
  const PageState state = chain.state(repository.path());
  crypto::KeyedHash hash(chain.last().keys().hash_key.reveal());
  std::uint64_t alike = 0;
  std::vector<PageHash> before;
  const std::uint32_t count = std::min(pages.count(), state.page_count());
  for (std::uint32_t first = 1; first <= count; first += pages_at_once) {
    throw_if_interrupted();
    state.read(first, std::min(pages_at_once, count - first + 1), before);
    const Bytes octets = pages.read(first, static_cast<std::uint32_t>(before.size()));
    for (std::size_t index = 0; index < before.size(); ++index) {
      if (hash.of(ByteView(octets).subspan(index * pages.page_bytes(), pages.page_bytes())) == before[index])
        ++alike;
    }
  }
  return alike;
}

std::uint64_t pages_like_plain_copy(const RawPages& pages, const Repository& repository,
                                    const Manifest& backup) {
  const sqlite::FileFacts facts = sqlite::read_file_facts(repository.folder_of(backup.id) / backup.file.name);
  const RawPages before(facts);
  if (before.page_bytes() != pages.page_bytes()) return 0;
  std::uint64_t alike = 0;
  const std::uint32_t count = std::min(pages.count(), before.count());
  for (std::uint32_t first = 1; first <= count; ++first) {
    throw_if_interrupted();
    if (pages.read(first, 1) == before.read(first, 1)) ++alike;
  }
  return alike;
}

/// Whether a database shares at least half of its pages with a backup, or half of the backup's where it has
/// grown.
bool shares_half(const sqlite::FileFacts& facts, const Repository& repository, const Manifest& backup,
                 Keyring& keyring) {
  if (facts.kind != sqlite::FileKind::sqlite) return false;
  const RawPages pages(facts);
  if (pages.page_bytes() == 0 || pages.count() == 0) return false;
  const std::uint64_t alike = backup.container ? pages_like_container(pages, repository, backup, keyring)
                                               : pages_like_plain_copy(pages, repository, backup);
  const auto pages_before = static_cast<std::uint64_t>(std::max<std::int64_t>(backup.sqlite.page_count, 1));
  return 2 * alike >= std::min<std::uint64_t>(pages.count(), pages_before);
}

/// A backup that cannot be read tells nothing.
bool may_share_half(const sqlite::FileFacts& facts, const Repository& repository, const Manifest& backup,
                    Keyring& keyring) {
  try {
    return shares_half(facts, repository, backup, keyring);
  } catch (const IntegrityError&) {
    return false;
  } catch (const NotFoundError&) {
    return false;
  } catch (const DeniedError&) {
    return false;
  }
}

/// The history that was going on when the one of the file began, as if that had never begun; the newest where
/// the file has none yet.
const Line& line_before(const std::vector<Line>& lines, const Line* of_file) {
  if (of_file == nullptr) return lines.front();
  // The newest comes first.
  const auto before = std::ranges::find_if(
      lines, [&](const Line& line) { return line.newest.sequence < of_file->first_sequence; });
  return before == lines.end() ? *of_file : *before;
}

LineChoice choose_among(const sqlite::FileFacts& facts, const std::optional<FileIdentity>& identity,
                        const Repository& repository, std::span<const Entry> entries,
                        const std::vector<Line>& lines, const BackupOptions& options, Keyring& keyring,
                        const BackupId& first) {
  const std::string source = source_name(facts.path);
  const Line* known = identity ? find_line(lines, source, *identity, repository, entries) : nullptr;
  if (options.same_database) return {line_before(lines, known).id, false, {}};
  if (known != nullptr) return {known->id, false, {}};
  // Older backups do not say which file they were made of, so this one need not be another.
  if (!identity || lines.front().files.empty()) return {lines.front().id, false, {}};
  for (const Line& line : lines) {
    if (may_share_half(facts, repository, line.newest, keyring)) return {line.id, false, {}};
  }
  return {LineId(first.uuid()), true,
          fmt::format(
              "{} is another file than the one that backup {} was made of, and shares fewer than half of its "
              "pages: it is taken for another database, whose history begins with this backup. If it is the "
              "same one, make another backup with --same-database, which goes on with the old history",
              source, lines.front().newest.id.short_text())};
}

}  // namespace

bool is_of(const Manifest& manifest, std::string_view source, const std::optional<LineId>& line) {
  return manifest.source.path == source && manifest.line == line;
}

std::vector<Line> lines_of(std::span<const Entry> entries, std::string_view source) {
  std::vector<Line> lines;
  for (const Entry& entry : entries) {
    // A history goes on where its backups are damaged, but not where somebody without the key says so.
    const std::optional<Manifest>& known = entry.manifest ? entry.manifest : entry.distrusted;
    if (!known || entry.is_unauthenticated || known->source.path != source || known->state != State::good)
      continue;
    const Manifest& manifest = *known;
    auto line = std::ranges::find(lines, manifest.line, &Line::id);
    if (line == lines.end())
      line = lines.insert(lines.end(), {manifest.line, manifest, manifest.sequence, {}});
    if (manifest.sequence > line->newest.sequence) line->newest = manifest;
    line->first_sequence = std::min(line->first_sequence, manifest.sequence);
    const std::optional<FileIdentity>& file = manifest.source.file;
    if (file && std::ranges::find(line->files, *file) == line->files.end()) line->files.push_back(*file);
  }
  std::ranges::stable_sort(lines, std::greater<>(), [](const Line& line) { return line.newest.sequence; });
  return lines;
}

std::optional<Line> line_at(const std::filesystem::path& database, const Repository& repository,
                            const std::vector<Line>& lines) {
  if (lines.size() == 1) return lines.front();
  const std::optional<FileIdentity> identity = identity_of(database);
  if (!identity) return std::nullopt;
  const std::vector<Entry> entries = repository.list();
  const Line* known = find_line(lines, source_name(database), *identity, repository, entries);
  if (known == nullptr) return std::nullopt;
  return *known;
}

bool has_restarted(std::span<const Manifest> manifests) {
  std::map<std::int64_t, Timestamp> times;
  return std::ranges::any_of(manifests, [&](const Manifest& one) {
    if (!one.is_asked_for() || one.sequence == 0) return false;
    const auto [place, is_new] = times.emplace(one.sequence, one.created_at);
    return !is_new && place->second != one.created_at;
  });
}

LineChoice choose_line(const sqlite::FileFacts& facts, const std::optional<FileIdentity>& identity,
                       const Repository& repository, std::span<const Entry> entries,
                       const BackupOptions& options, Keyring& keyring, const BackupId& first) {
  const std::string source = source_name(facts.path);
  if (const std::vector<Line> lines = lines_of(entries, source); !lines.empty()) {
    return choose_among(facts, identity, repository, entries, lines, options, keyring, first);
  }
  // Where the first repository was lost, the second and what this machine remembers say which database it is.
  if (options.second != nullptr) {
    const Repository second = options.second->for_key(options.key);
    const std::vector<Entry> copies = second.list();
    if (const std::vector<Line> lines = lines_of(copies, source); !lines.empty()) {
      return choose_among(facts, identity, second, copies, lines, options, keyring, first);
    }
  }
  const std::optional<WitnessedDatabase> witnessed = witnessed_database(repository, source);
  if (witnessed && (options.same_database || witnessed->file == identity))
    return {witnessed->line, false, {}};
  return {LineId(first.uuid()), true, {}};
}

std::string describe(const std::vector<Line>& lines) {
  std::vector<std::string> newest;
  newest.reserve(lines.size());
  for (const Line& line : lines) {
    newest.push_back(fmt::format("{} of {}", line.newest.id.short_text(), line.newest.created_at.to_text()));
  }
  return fmt::format("{}", fmt::join(newest, ", "));
}

void keep_line_at(const Repository& repository, const std::string& source, std::vector<Entry>& entries) {
  const std::vector<Line> lines = lines_of(entries, source);
  if (lines.size() < 2) return;
  const std::optional<Line> meant = line_at(source, repository, lines);
  if (!meant) {
    std::error_code error;
    const bool is_there = std::filesystem::exists(source, error);
    throw ConflictError(
        fmt::format("{} holds backups of {} databases that were called {}, and {}; the newest of each are {}",
                    repository.path().string(), lines.size(), source,
                    is_there ? "what stands there now is none of them" : "no file stands there now",
                    describe(lines)),
        fmt::format("Give the id of the backup that you mean. See all: nerve-db backup list --repo {}.",
                    shell_word(repository.path().string())));
  }
  std::erase_if(entries, [&](const Entry& entry) {
    const std::optional<Manifest>& known = entry.manifest ? entry.manifest : entry.distrusted;
    return known && known->source.path == source && known->line != meant->id;
  });
}

}  // namespace nerve::backups
