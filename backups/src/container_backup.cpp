// SPDX-License-Identifier: Apache-2.0
#include "container_backup.h"

#include "authentication.h"
#include "backup_steps.h"
#include "container/reader.h"
#include "container/writer.h"
#include "layout.h"
#include "lines.h"
#include "page_state_cache.h"
#include "partial_proof.h"
#include "repository_file.h"
#include "repository_folder.h"
#include "witness.h"

#include "nerve/core/error.h"
#include "nerve/core/random.h"
#include "nerve/core/shell.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <system_error>

namespace nerve::backups {
namespace {

/// Each container of a chain is an open file while it is read, and a process may have 1,024.
constexpr std::int64_t depth_max = 500;
/// No program of ours makes a chain that is as long.
constexpr std::size_t lineage_max = 1000;

void require_length(const std::vector<Manifest>& lineage) {
  if (lineage.size() < lineage_max) return;
  throw IntegrityError(
      fmt::format("more than {} backups lead to backup {}", lineage_max, lineage.front().id.to_string()));
}

/// The backups of one history that are containers, newest last.
std::vector<Manifest> containers_of(std::span<const Entry> entries, const std::string& source,
                                    const std::optional<LineId>& line) {
  std::vector<Manifest> containers;
  for (const Entry& entry : entries) {
    const bool is_meant = entry.manifest && entry.manifest->container &&
                          is_of(*entry.manifest, source, line) && entry.manifest->state == State::good;
    if (is_meant) containers.push_back(*entry.manifest);
  }
  std::ranges::stable_sort(containers, {}, &Manifest::sequence);
  return containers;
}

/// Why no delta is to be added to a generation; empty where one may.
std::string reason_to_end(const std::vector<Manifest>& containers, const Manifest& newest) {
  if (newest.container->depth >= depth_max) return fmt::format("{} deltas follow one another", depth_max);
  std::uint64_t full_bytes = 0;
  std::uint64_t delta_bytes = 0;
  for (const Manifest& one : containers) {
    if (one.container->generation != newest.container->generation) continue;
    (one.container->parent ? delta_bytes : full_bytes) += one.file.size_bytes;
  }
  if (delta_bytes > full_bytes) return "the deltas since the last full weigh more than it does";
  return {};
}

/// What is known of a backup, whether it can be trusted or not.
const std::optional<Manifest>& known_of(const Entry& entry) {
  return entry.manifest ? entry.manifest : entry.distrusted;
}

std::filesystem::path sealed_container(const Entry& entry, const Repository& repository) {
  return repository.path() / entry.name / sealed_container_file_name;
}

/// Whether it may be a backup of the database: where neither its manifest nor the catalogue can tell, it may.
bool may_be_of(const Entry& entry, const std::string& source) {
  if (const std::optional<Manifest>& known = known_of(entry)) return known->source.path == source;
  return entry.source.empty() || entry.source == source;
}

/// The encrypted backups of a database, newest first. Also what cannot be trusted, and what may be of it.
std::vector<Entry> encrypted_of(std::span<const Entry> entries, const std::string& source) {
  std::vector<Entry> encrypted;
  for (const Entry& entry : entries) {
    if (!may_be_of(entry, source)) continue;
    const std::optional<Manifest>& known = known_of(entry);
    const bool is_encrypted = (known && known->is_encrypted()) || entry.holds_sealed;
    if (is_encrypted) encrypted.push_back(entry);
  }
  std::ranges::reverse(encrypted);
  return encrypted;
}

/// Why no key of the ring opens any of these; empty where one does.
std::string reason_not_to_open(const std::vector<Entry>& encrypted, const Repository& repository,
                               Keyring& keyring) {
  std::string reason;
  for (const Entry& entry : encrypted) {
    const std::filesystem::path path = sealed_container(entry, repository);
    try {
      const ContainerHeader header = read_header(path);
      // One that is not encrypted was put in the place of another, and proves no key.
      if (!header.is_encrypted()) throw IntegrityError(fmt::format("{} is not encrypted", path.string()));
      keyring.keys_of(header, path.string());
      return {};
    } catch (const Error& error) {
      if (reason.empty()) reason = error.what();
    }
  }
  return reason;
}

/// A generation that a mistyped key began could never be opened.
void require_known_key(const std::vector<Entry>& encrypted, const Repository& repository,
                       const std::filesystem::path& database, Keyring& keyring) {
  const std::string reason = reason_not_to_open(encrypted, repository, keyring);
  if (reason.empty()) return;
  throw DeniedError(fmt::format("the key opens none of the encrypted backups of {} in {}: {}",
                                database.string(), repository.path().string(), reason),
                    "Give the key that they were made with. To begin with another one on purpose, name a new "
                    "folder with --repo.");
}

/// Where there are backups, and none that counts, the user should know why.
void tell_why_first(const BackupOptions& options, std::span<const Entry> entries, const std::string& source) {
  const auto left_out = std::ranges::find_if(entries, [&](const Entry& entry) {
    return entry.distrusted && entry.distrusted->source.path == source && entry.distrusted->container;
  });
  if (left_out == entries.end()) return;
  tell(options, fmt::format("this is a full: the newest backup, {}, cannot be built on: {}", left_out->name,
                            left_out->problem));
}

}  // namespace

std::vector<Manifest> lineage_of(const Repository& repository, const Manifest& manifest) {
  std::vector<Manifest> lineage{manifest};
  while (lineage.back().container->parent) {
    // The depth falls at each step, so that a circle ends, too.
    Manifest parent = repository.read(*lineage.back().container->parent);
    if (!parent.container || parent.container->depth >= lineage.back().container->depth) {
      throw IntegrityError(fmt::format("backup {} does not lead back to a full", manifest.id.to_string()));
    }
    lineage.push_back(std::move(parent));
    require_length(lineage);
  }
  std::ranges::reverse(lineage);
  return lineage;
}

std::vector<Manifest> lineage_in(std::span<const Entry> entries, const Manifest& newest) {
  std::map<BackupId, const Manifest*> known;
  for (const Entry& entry : entries) {
    if (entry.manifest) known.emplace(entry.manifest->id, &*entry.manifest);
  }
  std::vector<Manifest> lineage{newest};
  while (lineage.back().container->parent) {
    const auto parent = known.find(*lineage.back().container->parent);
    if (parent == known.end() || !parent->second->container ||
        parent->second->container->depth >= lineage.back().container->depth) {
      throw IntegrityError(fmt::format("backup {} does not lead back to a full", newest.id.to_string()));
    }
    lineage.push_back(*parent->second);
    require_length(lineage);
  }
  std::ranges::reverse(lineage);
  return lineage;
}

std::vector<std::filesystem::path> container_paths(const Repository& repository,
                                                   const std::vector<Manifest>& lineage) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(lineage.size());
  for (const Manifest& one : lineage) paths.push_back(repository.folder_of(one.id) / one.file.name);
  return paths;
}

void require_container_of(const Manifest& manifest, const ContainerEnd& container) {
  const ContainerHeader& header = container.header;
  if (header.id == manifest.id && header.generation == manifest.container->generation &&
      header.page_count == manifest.sqlite.page_count &&
      header.page_size_bytes == manifest.sqlite.page_size_bytes &&
      header.depth == static_cast<std::uint64_t>(manifest.container->depth) &&
      header.is_encrypted() == manifest.is_encrypted()) {
    return;
  }
  throw IntegrityError(
      fmt::format("{} is not the container that the manifest is of", container.path.string()));
}

Chain open_chain(const Repository& repository, const Manifest& manifest, Keyring& keyring) {
  Chain chain(container_paths(repository, lineage_of(repository, manifest)), keyring);
  require_container_of(manifest, end_of(chain.last()));
  return chain;
}

namespace {

bool holds_sealed_container(const std::filesystem::path& repository, const std::vector<std::string>& names) {
  const Descriptor folder = open_folder_of(repository / names.front(), O_PATH);
  return std::ranges::any_of(names, [&](const std::string& name) {
    return has_name(folder, fmt::format("{}/{}", name, sealed_container_file_name));
  });
}

}  // namespace

bool has_encrypted_backup(const Repository& repository, const std::filesystem::path& database) {
  // Most repositories hold no sealed container, which is sooner seen than whose backups they hold.
  const std::vector<std::string> names = backup_names(repository.path());
  const bool holds_sealed = !names.empty() && holds_sealed_container(repository.path(), names);
  const auto witnessed = witnessed_database(repository, source_name(database));
  if (witnessed && witnessed->is_encrypted) return true;
  return holds_sealed && !encrypted_of(repository.list(), source_name(database)).empty();
}

bool opens_encrypted_backups(const Repository& repository,
                             const std::optional<std::filesystem::path>& database, const BackupKey& key) {
  const std::vector<Entry> entries = repository.list();
  std::set<std::string> sources;
  if (database) sources.insert(source_name(*database));
  for (const Entry& entry : entries) {
    if (!database && entry.manifest && entry.manifest->is_encrypted())
      sources.insert(entry.manifest->source.path);
  }
  const Repository keyed = repository.authenticated_by(key);
  return std::ranges::all_of(sources, [&](const std::string& source) {
    return reason_not_to_open(encrypted_of(entries, source), repository, *keyed.keyring()).empty();
  });
}

std::string reason_to_deny(const Repository& repository,
                           const std::optional<std::filesystem::path>& database) {
  std::string reason;
  if (repository.keyring() == nullptr) return reason;
  for (const Entry& entry : repository.list()) {
    const std::optional<Manifest>& known = known_of(entry);
    if (!known || !known->is_encrypted() || (database && known->source.path != source_name(*database)))
      continue;
    if (entry.manifest) return {};
    const std::filesystem::path path = sealed_container(entry, repository);
    try {
      repository.keyring()->keys_of(read_header(path), path.string());
      return {};
    } catch (const DeniedError& error) {
      if (reason.empty()) reason = error.what();
    } catch (const Error&) {
      continue;  // what is damaged proves nothing of the key
    }
  }
  return reason;
}

void require_key_of_encrypted(const sqlite::FileFacts& facts, const Repository& repository,
                              std::span<const Entry> entries, Keyring& keyring) {
  const std::vector<Entry> encrypted = encrypted_of(entries, source_name(facts.path));
  const bool has_key = keyring.has_key();
  if (has_key) return require_known_key(encrypted, repository, facts.path, keyring);
  const auto witnessed = witnessed_database(repository, source_name(facts.path));
  if (encrypted.empty() && !(witnessed && witnessed->is_encrypted)) return;
  if (encrypted.empty()) {
    throw DeniedError(
        fmt::format("this machine has seen encrypted backups of {} in {}; none is there now, and no key is "
                    "given for the next one",
                    facts.path.string(), repository.path().string()),
        fmt::format("Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE. If the "
                    "repository was emptied on purpose, this forgets what was seen: nerve-db backup repair "
                    "--repo {}.",
                    shell_word(repository.path().string())));
  }
  throw DeniedError(
      fmt::format("the backups of {} in {} are encrypted, and no key is given for the next one",
                  facts.path.string(), repository.path().string()),
      "Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE. For backups that are "
      "not encrypted name another repository with --repo.");
}

namespace {

/// The newest backup of a history that cannot be trusted and is later than `newest`; null where there is
/// none.
const Entry* damaged_after(std::span<const Entry> entries, const Manifest& newest) {
  const auto found = std::ranges::find_if(entries, [&](const Entry& entry) {
    const std::optional<Manifest>& known = entry.distrusted;
    return known && !entry.is_invented && known->container && known->state == State::good &&
           is_of(*known, newest.source.path, newest.line) && known->sequence > newest.sequence;
  });
  return found == entries.end() ? nullptr : &*found;
}

/// What the next delta is made against; the chain it stands on is proved by a part at each backup.
Generation open_generation(const Repository& repository, const std::vector<Manifest>& lineage,
                           Keyring& keyring, const Clock& clock) {
  const Manifest& newest = lineage.back();
  auto parent = std::make_unique<ContainerReader>(container_paths(repository, {newest}).front(), keyring);
  require_container_of(newest, end_of(*parent));
  std::string proof = prove_next_part(repository, lineage, keyring, clock);
  std::optional<PageState> state = load_page_state(repository, newest, *parent);
  if (!state) {
    Chain chain(container_paths(repository, lineage), keyring);
    state = chain.state(repository.path());
  }
  return {std::move(parent), *std::move(state), std::move(proof)};
}

/// Why a full is due although the newest can be built on; empty where none is.
std::string reason_for_full(std::span<const Entry> entries, const std::vector<Manifest>& containers) {
  const Manifest& newest = containers.back();
  if (const Entry* damaged = damaged_after(entries, newest)) {
    return fmt::format("the newest backup, {}, cannot be built on: {}", damaged->name, damaged->problem);
  }
  return reason_to_end(containers, newest);
}

}  // namespace

std::optional<Generation> find_generation(const sqlite::FileFacts& facts, const Repository& repository,
                                          std::span<const Entry> entries, const std::optional<LineId>& line,
                                          const BackupOptions& options, Keyring& keyring,
                                          const Clock& clock) {
  const std::vector<Manifest> containers = containers_of(entries, source_name(facts.path), line);
  if (containers.empty()) {
    tell_why_first(options, entries, source_name(facts.path));
    return std::nullopt;
  }
  const Manifest& newest = containers.back();
  if (newest.is_encrypted() != keyring.has_key()) {
    tell(options, "this is the first encrypted backup of the database, so it is a full");
    return std::nullopt;
  }
  if (options.form == Form::full && !newest.is_encrypted()) return std::nullopt;
  try {
    const std::vector<Manifest> lineage = lineage_in(entries, newest);
    // With a key the newest is opened all the same: a full is to go on under its own.
    if (options.form == Form::full) {
      const ContainerReader opened(container_paths(repository, {newest}).front(), keyring);
      return std::nullopt;
    }
    if (const std::string reason = reason_for_full(entries, containers); !reason.empty()) {
      tell(options, fmt::format("this is a full: {}", reason));
      return std::nullopt;
    }
    return open_generation(repository, lineage, keyring, clock);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::integrity) throw;
    tell(options,
         fmt::format("this is a full, because the newest backup cannot be built on: {}", error.what()));
  }
  return std::nullopt;
}

namespace {

ContainerHeader new_header(const SnapshotShape& shape, const ContainerReader* parent, Keyring& keyring,
                           const BackupId& id) {
  ContainerHeader header;
  header.page_size_bytes = shape.page_size_bytes;
  header.page_count = shape.page_count;
  header.group_pages = group_pages_for(shape.page_size_bytes, shape.page_count);
  header.id = id;
  header.cipher = keyring.has_key() ? Cipher::aes_256_gcm : Cipher::none;
  if (header.is_encrypted()) system_random().fill(header.backup_salt);
  if (parent == nullptr) {
    header.generation = id;
    system_random().fill(header.hash_salt);
    header.key = keyring.new_key_facts(system_random());
    return header;
  }
  header.kind = ContainerKind::delta;
  header.generation = parent->header().generation;
  header.parent = parent->header().id;
  header.parent_state = parent->trailer().state;
  header.depth = parent->header().depth + 1;
  header.hash_salt = parent->header().hash_salt;
  header.key = parent->header().key;
  return header;
}

}  // namespace

void write_container(const SnapshotShape& shape, const ReadPages& read_pages,
                     const std::optional<Generation>& generation, Keyring& keyring,
                     const PartialBackup& partial, Manifest& manifest) {
  // A database whose page size was changed by VACUUM has no page in common with what it was.
  const bool goes_on = generation && generation->parent->header().page_size_bytes == shape.page_size_bytes;
  const ContainerReader* parent = goes_on ? generation->parent.get() : nullptr;
  const ContainerHeader header = new_header(shape, parent, keyring, manifest.id);
  const std::filesystem::path path =
      partial.file(header.is_encrypted() ? sealed_container_file_name : container_file_name);
  const ContainerKeys keys = keyring.keys_of(header, path.string());
  const Descriptor file = open_repository_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  ContainerWriter writer(file, path, header, keys, goes_on ? &generation->state : nullptr);
  read_pages([&](std::uint32_t number, ByteView page) { writer.take(number, page); });
  const ContainerTrailer trailer = writer.finish();

  ContainerFacts facts;
  facts.generation = header.generation;
  if (parent != nullptr) facts.parent = header.parent;
  facts.depth = header.depth;
  facts.stored_pages = trailer.stored_pages;
  facts.is_encrypted = header.is_encrypted();
  manifest.authentication.reset();
  if (header.is_encrypted()) manifest.authentication = Authentication{key_text(header.key), {}};
  manifest.container = facts;
  manifest.file = {path.filename().string(), trailer.file_bytes, {}};
}

}  // namespace nerve::backups
