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
#include <optional>
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
  std::optional<Timestamp>
      round_since;  ///< when it last began at the full; absent where an older file lacks it
  std::optional<WholeProof> whole;
};

std::optional<Timestamp> time_in(const Json& json, const char* field) {
  if (!json.contains(field)) return std::nullopt;
  return Timestamp::parse(json.at(field).get<std::string>());
}

std::optional<WholeProof> whole_proof_in(const Json& json) {
  const std::optional<Timestamp> since = time_in(json, "proved_since");
  if (!since) return std::nullopt;
  return WholeProof{BackupId::parse(json.at("proved_through").get<std::string>()), *since};
}

void add_whole_proof(const WholeProof& whole, Json& json) {
  json["proved_through"] = whole.through.to_string();
  json["proved_since"] = whole.since.to_text();
}

/// What stands in the file; an empty object where it is not there or damaged.
Json read_proof(const Repository& repository, const BackupId& full) {
  try {
    Json json = parse_json(read_small_file(proof_path(repository, full), proof_bytes_max), "proof");
    if (json.is_object()) return json;
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return Json::object();
  }
  return Json::object();
}

Cursor parse_cursor(const Json& json, const std::vector<Manifest>& lineage, const Timestamp& now) {
  Cursor cursor;
  cursor.at = Timestamp::parse(json.at("at").get<std::string>());
  cursor.whole = whole_proof_in(json);
  cursor.round_since = now;
  const BackupId id = BackupId::parse(json.at("container").get<std::string>());
  const auto found = std::ranges::find(lineage, id, &Manifest::id);
  // One that was merged or removed: from the beginning.
  if (found == lineage.end()) return cursor;
  cursor.container = static_cast<std::size_t>(found - lineage.begin());
  cursor.group = json.at("group").get<std::size_t>();
  cursor.round_since = time_in(json, "round_since");
  return cursor;
}

Cursor read_cursor(const Repository& repository, const std::vector<Manifest>& lineage, const Timestamp& now) {
  Cursor start;
  start.at = lineage.front().created_at;
  start.round_since = now;
  try {
    return parse_cursor(read_proof(repository, lineage.front().id), lineage, now);
  } catch (const Error&) {
    return start;
  } catch (const nlohmann::json::exception&) {
    return start;
  }
}

std::string text_of(const std::vector<Manifest>& lineage, const Cursor& cursor) {
  Json json = {{"format", proof_format},
               {"container", lineage[cursor.container].id.to_string()},
               {"group", cursor.group},
               {"at", cursor.at.to_text()}};
  if (cursor.round_since) json["round_since"] = cursor.round_since->to_text();
  if (cursor.whole) add_whole_proof(*cursor.whole, json);
  return json.dump(2) + "\n";
}

/// The last container has been read, and the next one is the full.
void end_round(const std::vector<Manifest>& lineage, const Timestamp& now, Cursor& cursor) {
  // Somebody may have read all of it since this round began.
  const bool is_newer =
      cursor.round_since &&
      (!cursor.whole || std::ranges::find(lineage, cursor.whole->through, &Manifest::id) == lineage.end() ||
       *cursor.round_since >= cursor.whole->since);
  if (is_newer) cursor.whole = WholeProof{lineage.back().id, *cursor.round_since};
  cursor.round_since = now;
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

std::optional<WholeProof> whole_proof(const Repository& repository, const BackupId& full) {
  try {
    return whole_proof_in(read_proof(repository, full));
  } catch (const ValidationError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void keep_whole_proof(const Repository& repository, const BackupId& full, const WholeProof& proof) {
  Json json = read_proof(repository, full);
  if (!json.contains("container")) {
    json = {{"format", proof_format},
            {"container", full.to_string()},
            {"group", 0},
            {"at", proof.since.to_text()}};
  }
  add_whole_proof(proof, json);
  keep_proof(repository, full, json.dump(2) + "\n");
}

std::string prove_next_part(const Repository& repository, const std::vector<Manifest>& lineage,
                            Keyring& keyring, const Clock& clock) {
  const Timestamp now = clock.now();
  Cursor cursor = read_cursor(repository, lineage, now);
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
    if (cursor.container == 0) end_round(lineage, now, cursor);
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
