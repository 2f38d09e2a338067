// SPDX-License-Identifier: Apache-2.0
#include "partial_proof.h"

#include "container/group_codec.h"
#include "container/reader.h"
#include "damage_note.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

namespace nerve::backups {
namespace {

constexpr std::int64_t proof_format = 1;
constexpr std::size_t proof_bytes_max = 4096;
constexpr std::uint64_t part_bytes_min = std::uint64_t{4} << 20;

/// Where the next part begins.
struct Cursor {
  std::size_t container = 0;  ///< index into the lineage
  std::size_t group = 0;
  Timestamp at;  ///< when the last part was proved
};

Cursor parse_cursor(const std::string& text, const std::vector<Manifest>& lineage) {
  const Json json = parse_json(text, "proof");
  Cursor cursor;
  cursor.at = Timestamp::parse(json.at("at").get<std::string>());
  const BackupId id = BackupId::parse(json.at("container").get<std::string>());
  const auto found = std::ranges::find(lineage, id, &Manifest::id);
  // One that was merged or removed: from the beginning.
  if (found == lineage.end()) return cursor;
  cursor.container = static_cast<std::size_t>(found - lineage.begin());
  cursor.group = json.at("group").get<std::size_t>();
  return cursor;
}

Cursor read_cursor(const Repository& repository, const std::vector<Manifest>& lineage) {
  Cursor start;
  start.at = lineage.front().created_at;
  try {
    return parse_cursor(read_small_file(proof_path(repository, lineage.front().id), proof_bytes_max),
                        lineage);
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return start;
  } catch (const nlohmann::json::exception&) {
    return start;
  }
}

std::string text_of(const std::vector<Manifest>& lineage, const Cursor& cursor) {
  const Json json = {{"format", proof_format},
                     {"container", lineage[cursor.container].id.to_string()},
                     {"group", cursor.group},
                     {"at", cursor.at.to_text()}};
  return json.dump(2) + "\n";
}

std::uint64_t bytes_due(const std::vector<Manifest>& lineage, std::chrono::microseconds elapsed) {
  std::uint64_t all = 0;
  for (const Manifest& one : lineage) all += one.file.size_bytes;
  // A clock that was set back says nothing: the least then.
  const double share = std::clamp(std::chrono::duration<double>(elapsed) / proof_period, 0.0, 1.0);
  const auto due = static_cast<std::uint64_t>(share * static_cast<double>(all));
  return std::min(all, std::max(due, part_bytes_min));
}

/// Reads the groups of one container from `cursor.group` on until `bytes_left` are used up, and moves the
/// cursor.
void prove_groups(const ContainerReader& container, Cursor& cursor, std::uint64_t& bytes_left) {
  // What was written lately is in memory, and that would say nothing of the device.
  container.drop_from_page_cache(cursor.group, bytes_left);
  GroupCodec codec(container.header(), container.keys());
  PageGroup group;
  while (cursor.group < container.group_count() && bytes_left > 0) {
    throw_if_interrupted();
    container.read_group(cursor.group, codec, group);
    bytes_left -= std::min(bytes_left, container.stored_bytes(cursor.group));
    ++cursor.group;
  }
}

}  // namespace

std::filesystem::path proof_path(const Repository& repository, const BackupId& full) {
  return repository.path() / fmt::format("{}{}.json", proof_file_prefix, full.to_string());
}

std::string prove_next_part(const Repository& repository, const std::vector<Manifest>& lineage,
                            Keyring& keyring, const Clock& clock) {
  const Timestamp now = clock.now();
  Cursor cursor = read_cursor(repository, lineage);
  std::uint64_t bytes_left = bytes_due(lineage, now - cursor.at);
  for (std::size_t count = 0; count <= lineage.size() && bytes_left > 0; ++count) {
    const Manifest& one = lineage[cursor.container];
    const std::filesystem::path path = repository.folder_of(one.id) / one.file.name;
    try {
      const ContainerReader container(path, keyring);
      prove_groups(container, cursor, bytes_left);
      // Its ends and its index have been read, too.
      bytes_left -= std::min<std::uint64_t>(bytes_left, header_bytes + trailer_bytes);
      if (cursor.group < container.group_count()) break;
    } catch (const IntegrityError& error) {
      note_damage(repository, one.id, error.what(), clock);
      throw;
    }
    cursor.container = (cursor.container + 1) % lineage.size();
    cursor.group = 0;
  }
  cursor.at = now;
  return text_of(lineage, cursor);
}

void keep_proof(const Repository& repository, const BackupId& full, std::string_view proof) {
  try {
    // Not synced: after a crash some of it is proved once more.
    replace_unsynced(repository.path(), proof_path(repository, full), proof);
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

}  // namespace nerve::backups
