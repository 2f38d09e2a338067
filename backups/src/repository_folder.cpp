// SPDX-License-Identifier: Apache-2.0
#include "repository_folder.h"

#include "authentication.h"
#include "damage_note.h"
#include "durable_file.h"
#include "json_number.h"
#include "layout.h"
#include "repository_file.h"
#include "witness.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/crypto/hash.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::size_t manifest_bytes_max = std::size_t{64} << 20;

bool is_id(const std::string& name) {
  try {
    return BackupId::parse(name).to_string() == name;
  } catch (const ValidationError&) {
    return false;
  }
}

std::string read_manifest_text(const std::filesystem::path& folder) {
  return read_small_file(folder / manifest_file_name, manifest_bytes_max);
}

Manifest manifest_from(const std::string& text, const std::filesystem::path& folder,
                       bool is_known_text = false) {
  const std::filesystem::path path = folder / manifest_file_name;
  Manifest manifest = parse_manifest(text, path.string(), is_known_text);
  if (manifest.id.to_string() != folder.filename()) {
    throw IntegrityError(
        fmt::format("{} belongs to another backup, {}", path.string(), manifest.id.to_string()));
  }
  return manifest;
}

/// A look at the size only; the contents are for verify.
void require_file(const Descriptor& opened, const std::filesystem::path& folder, const Manifest& manifest) {
  const std::filesystem::path file = folder / manifest.file.name;
  std::uint64_t size_bytes = 0;
  try {
    size_bytes = repository_file_bytes(opened, file);
  } catch (const NotFoundError&) {
    throw IntegrityError(fmt::format("{} is missing", file.string()));
  }
  if (size_bytes != manifest.file.size_bytes) {
    throw IntegrityError(
        fmt::format("{} has {} bytes, not {}", file.string(), size_bytes, manifest.file.size_bytes));
  }
}

/// What is known of one whose own files do not say it.
void tell_from(const Catalogue& catalogue, Entry& entry) {
  const Expectation* expected = catalogue.find(entry.name);
  if (expected == nullptr) return;
  entry.sequence = expected->lines.back().sequence;
  entry.created_at = expected->lines.back().created_at;
  if (catalogue.problem().empty()) entry.source = expected->lines.back().source;
}

Entry read_entry(const std::filesystem::path& folder, const Catalogue& catalogue) {
  Entry entry{folder.filename().string(), std::nullopt, {}};
  Descriptor opened;
  try {
    const std::filesystem::path path = folder / manifest_file_name;
    opened = open_folder_of(path, O_PATH);
    entry.holds_sealed = has_name(opened, sealed_container_file_name);
    const std::string text =
        read_small_file(open_repository_file(opened, path, O_RDONLY), path, manifest_bytes_max);
    const Expectation* expected = catalogue.find(entry.name);
    const bool is_catalogued =
        expected != nullptr && expected->allows(to_hex(crypto::sha256(as_bytes(text))));
    entry.distrusted = manifest_from(text, folder, is_catalogued);
    // An earlier form of a backup, put back with its manifest, says nothing wrong of itself.
    if (expected != nullptr && !is_catalogued) {
      throw IntegrityError(fmt::format("{} is not what the catalogue says that was stored", path.string()));
    }
    require_file(opened, folder, *entry.distrusted);
    const auto damage = has_name(opened, damage_file_name) ? noted_damage(folder) : std::nullopt;
    if (damage) {
      entry.is_damage_noted = true;
      throw IntegrityError(*damage);
    }
    entry.manifest = std::move(entry.distrusted);
    entry.distrusted.reset();
  } catch (const Error& error) {
    entry.problem = error.what();
    // Behind a link that stands in the place of the folder, too.
    std::error_code ignored;
    if (opened.number() < 0)
      entry.holds_sealed = std::filesystem::exists(folder / sealed_container_file_name, ignored);
    tell_from(catalogue, entry);
  }
  return entry;
}

/// A delta is worth what the containers are that it leads back to.
void distrust_broken_chains(std::vector<Entry>& entries) {
  std::map<BackupId, Entry*> trusted;
  std::vector<Entry*> deltas;
  for (Entry& entry : entries) {
    if (!entry.manifest || !entry.manifest->container) continue;
    if (entry.manifest->container->parent) {
      deltas.push_back(&entry);
    } else {
      trusted.emplace(entry.manifest->id, &entry);
    }
  }
  std::ranges::stable_sort(deltas, {}, [](const Entry* entry) { return entry->manifest->container->depth; });
  for (Entry* entry : deltas) {
    const ContainerFacts& facts = *entry->manifest->container;
    const auto parent = trusted.find(*facts.parent);
    if (parent != trusted.end() && parent->second->manifest->container->depth < facts.depth) {
      trusted.emplace(entry->manifest->id, entry);
    } else {
      entry->problem =
          fmt::format("the backup that it is a delta to, {}, is gone or damaged", facts.parent->to_string());
    }
  }
  std::set<BackupId> noted;
  for (const Entry& entry : entries) {
    if (entry.is_damage_noted && entry.distrusted) noted.insert(entry.distrusted->id);
  }
  for (Entry* entry : deltas) {
    if (entry->problem.empty()) continue;
    entry->is_damage_noted = noted.contains(*entry->manifest->container->parent);
    if (entry->is_damage_noted) noted.insert(entry->manifest->id);
    entry->sequence = entry->manifest->sequence;
    entry->created_at = entry->manifest->created_at;
    entry->distrusted = std::move(entry->manifest);
    entry->manifest.reset();
  }
}

/// The databases of which there are encrypted backups, each with the lowest sequence of one.
std::map<std::string, std::int64_t> encrypted_since(const std::vector<Entry>& entries) {
  std::map<std::string, std::int64_t> since;
  for (const Entry& entry : entries) {
    const std::optional<Manifest>& known = entry.manifest ? entry.manifest : entry.distrusted;
    const std::string& source = known ? known->source.path : entry.source;
    const bool is_encrypted = (known && known->is_encrypted()) || entry.holds_sealed;
    if (!is_encrypted || source.empty()) continue;
    const std::int64_t sequence = known ? known->sequence : entry.sequence;
    const auto [place, is_new] = since.emplace(source, sequence);
    if (!is_new) place->second = std::min(place->second, sequence);
  }
  return since;
}

/// Why a backup of a database with encrypted ones may be somebody else's; empty where it is not.
std::string doubt_about(const Manifest& manifest, std::int64_t encrypted_since, Keyring* keyring) {
  if (keyring != nullptr) return reason_to_doubt(manifest, *keyring);
  // Without the key that much can be told: once encrypted, the backups of a database stay so.
  if (manifest.is_encrypted() || manifest.sequence < encrypted_since) return {};
  return "it is not encrypted, and earlier backups of the database are";
}

/// Whether who has the key wrote the catalogue, so that it says what he has not stored: each authenticated
/// backup is in it with a code.
bool is_authentic(const Catalogue& catalogue, const std::vector<Entry>& entries, Keyring& keyring) {
  if (!catalogue.problem().empty()) return false;
  bool vouches = false;
  for (const Entry& entry : entries) {
    if (!entry.manifest || !reason_to_doubt(*entry.manifest, keyring).empty()) continue;
    if (!catalogue.vouches_for(entry.name)) return false;
    vouches = true;
  }
  return vouches;
}

/// Who may write to a repository can put there what he likes, but not what the key proves.
void distrust_unauthenticated(const Catalogue& catalogue, std::vector<Entry>& entries, Keyring* keyring) {
  const std::map<std::string, std::int64_t> since = encrypted_since(entries);
  const bool is_catalogue_authentic = keyring != nullptr && is_authentic(catalogue, entries, *keyring);
  for (Entry& entry : entries) {
    if (!entry.manifest) continue;
    const auto encrypted = since.find(entry.manifest->source.path);
    if (encrypted == since.end()) continue;
    std::string reason = doubt_about(*entry.manifest, encrypted->second, keyring);
    if (reason.empty()) continue;
    entry.problem = fmt::format("it is not authenticated: {}", reason);
    entry.is_unauthenticated = true;
    entry.is_invented = is_catalogue_authentic && !catalogue.vouches_for(entry.name);
    entry.sequence = entry.manifest->sequence;
    entry.created_at = entry.manifest->created_at;
    entry.source = entry.manifest->source.path;
    entry.distrusted = std::move(entry.manifest);
    entry.manifest.reset();
  }
}

Entry gone_entry(const std::string& id, const Catalogue& catalogue) {
  Entry entry{id, std::nullopt, "its folder is gone, and no prune removed it"};
  entry.is_gone = true;
  tell_from(catalogue, entry);
  return entry;
}

/// What was found wrong may have been merged or removed while it was read.
void look_again(const std::filesystem::path& repository, std::vector<Entry>& entries, Keyring* keyring) {
  if (std::ranges::all_of(entries, [](const Entry& entry) { return entry.problem.empty(); })) return;
  const Catalogue catalogue = Catalogue::read(repository, keyring);
  std::error_code error;
  std::erase_if(entries, [&](const Entry& entry) {
    return !entry.problem.empty() && !std::filesystem::exists(repository / entry.name, error);
  });
  for (Entry& entry : entries) {
    if (!entry.problem.empty()) entry = read_entry(repository / entry.name, catalogue);
  }
}

}  // namespace

std::vector<std::string> backup_names(const std::filesystem::path& repository) {
  std::vector<std::string> names = file_names(repository);
  std::erase_if(names, [](const std::string& name) { return !is_id(name); });
  return names;
}

Manifest read_manifest(const std::filesystem::path& folder) {
  // Somebody may have planted a chain of very many.
  throw_if_interrupted();
  return manifest_from(read_manifest_text(folder), folder);
}

bool is_later(const Entry& entry, const Manifest& manifest) {
  return entry.sequence > 0 ? entry.sequence > manifest.sequence : entry.name > manifest.id.to_string();
}

std::vector<std::string> gone_backups(const std::filesystem::path& repository, const Catalogue& catalogue,
                                      const std::vector<std::string>& names, Keyring* keyring) {
  const auto missed_by = [&](const Catalogue& one) {
    std::vector<std::string> missed;
    std::error_code error;
    for (const auto& [id, expected] : one.expectations()) {
      if (!expected.must_be_there || std::ranges::binary_search(names, id)) continue;
      if (!std::filesystem::exists(repository / id, error)) missed.push_back(id);
    }
    return missed;
  };
  std::vector<std::string> missed = missed_by(catalogue);
  return missed.empty() ? missed : missed_by(Catalogue::read(repository, keyring));
}

std::vector<Entry> read_entries(const Repository& any_repository) {
  const std::filesystem::path& repository = any_repository.path();
  Keyring* keyring = any_repository.keyring();
  // The line that others look for, who then need not read the catalogue from its beginning.
  const std::string watched = witnessed_catalogue(any_repository).line;
  // The folder first: a backup that is stored in between is then not seen, instead of not being expected.
  const std::vector<std::string> names = backup_names(repository);
  const Catalogue catalogue = Catalogue::read(any_repository, watched);
  std::vector<Entry> entries;
  entries.reserve(names.size());
  for (const std::string& name : names) {
    throw_if_interrupted();
    entries.push_back(read_entry(repository / name, catalogue));
  }
  look_again(repository, entries, keyring);
  for (const std::string& id : gone_backups(repository, catalogue, names, keyring))
    entries.push_back(gone_entry(id, catalogue));
  std::ranges::stable_sort(entries, {}, &Entry::name);
  distrust_unauthenticated(catalogue, entries, keyring);
  distrust_broken_chains(entries);
  return entries;
}

std::vector<std::string> problems_of(const Catalogue& catalogue, const std::vector<std::string>& names,
                                     const std::filesystem::path& repository) {
  std::vector<std::string> problems;
  const std::string file = (repository / catalogue_file_name).string();
  if (!catalogue.is_there()) {
    if (!names.empty()) problems.push_back(fmt::format("the catalogue {} is missing", file));
    return problems;
  }
  if (!catalogue.problem().empty()) problems.push_back(catalogue.problem());
  for (const std::string& name : names) {
    // One that is gone by now was removed by a prune.
    std::error_code error;
    if (catalogue.find(name) != nullptr || !std::filesystem::exists(repository / name, error)) continue;
    problems.push_back(
        fmt::format("the catalogue {} does not know backup {}: an older catalogue was put back, or somebody "
                    "copied the backup here",
                    file, name));
  }
  return problems;
}

std::vector<std::string> unauthenticated_lines(const Catalogue& catalogue, const std::vector<Entry>& entries,
                                               const std::filesystem::path& repository) {
  std::vector<std::string> problems;
  for (const Entry& entry : entries) {
    if (!entry.manifest || !entry.manifest->authentication || catalogue.vouches_for(entry.name)) continue;
    problems.push_back(
        fmt::format("the catalogue {} names backup {} without a code of its key: somebody without the "
                    "key wrote it",
                    (repository / catalogue_file_name).string(), entry.name));
  }
  return problems;
}

std::vector<CatalogueLine> lines_for(const std::filesystem::path& repository, const Catalogue& catalogue,
                                     const std::vector<std::string>& names) {
  std::vector<CatalogueLine> lines;
  for (const std::string& name : names) {
    CatalogueLine line;
    line.event = CatalogueEvent::stored;
    line.id = BackupId::parse(name);
    try {
      const std::string text = read_manifest_text(repository / name);
      const Manifest manifest = manifest_from(text, repository / name);
      line.at = manifest.created_at;
      line.created_at = manifest.created_at;
      line.sequence = manifest.sequence;
      line.manifest_sha256 = to_hex(crypto::sha256(as_bytes(text)));
      line.source = manifest.source.path;
      if (manifest.authentication) line.key = manifest.authentication->key;
    } catch (const Error&) {
      // A damaged backup stays what was stored.
      const Expectation* expected = catalogue.find(name);
      if (expected != nullptr) lines.insert(lines.end(), expected->lines.begin(), expected->lines.end());
      continue;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::int64_t highest_sequence(const Repository& repository, const Catalogue& catalogue) {
  const std::int64_t of_catalogue = catalogue.highest_sequence();
  if (problems_of(catalogue, backup_names(repository.path()), repository.path()).empty()) return of_catalogue;
  // An older catalogue would give the numbers of those that it does not know once more.
  std::int64_t highest = of_catalogue;
  for (const Entry& entry : read_entries(repository.for_key(nullptr))) {
    const std::optional<Manifest>& known = entry.manifest ? entry.manifest : entry.distrusted;
    if (known && is_plausible_after(known->sequence, of_catalogue))
      highest = std::max(highest, known->sequence);
  }
  return highest;
}

std::int64_t successor_of(std::int64_t sequence, const std::filesystem::path& repository) {
  if (sequence < sequence_max) return sequence + 1;
  throw DamagedRepositoryError(
      fmt::format("a backup in {} has the highest number that there is, {}", repository.string(), sequence),
      "Somebody altered it or the catalogue: begin another repository with --repo, and look who did.");
}

std::int64_t highest_sequence(const Repository& repository) {
  const Repository without_key = repository.for_key(nullptr);
  return highest_sequence(without_key, Catalogue::read(without_key));
}

}  // namespace nerve::backups
