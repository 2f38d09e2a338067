// SPDX-License-Identifier: Apache-2.0
#include "recovery_file.h"

#include "authentication.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "repository_file.h"
#include "repository_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/update_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::int64_t recovery_format = 1;
constexpr std::size_t slots_max = 64;
constexpr std::size_t slot_name_bytes_max = 100;
constexpr std::size_t file_bytes_max = std::size_t{64} << 10;

IntegrityError damaged(const std::filesystem::path& path, std::string_view what) {
  return IntegrityError(
      fmt::format("{} is damaged: {}", path.string(), what),
      "The copies of it in the folders of the fulls still count. Make another recovery key, which "
      "writes it anew: nerve-db backup recovery-key.");
}

void take_hex(const Json& value, std::span<std::byte> octets) {
  const Bytes read = from_hex(value.get_ref<const std::string&>());
  if (read.size() != octets.size()) throw ValidationError("a field has another length");
  std::ranges::copy(read, octets.begin());
}

RecoverySlot slot_from(const Json& json) {
  RecoverySlot slot;
  slot.key = json.at("key").get<std::string>();
  if (!key_facts_from(slot.key)) throw ValidationError("a slot names no key that there can be");
  take_hex(json.at("recovery_salt"), slot.salt);
  take_hex(json.at("wrapped"), slot.wrapped);
  slot.made_at = Timestamp::parse(json.at("made_at").get<std::string>());
  slot.name = json.value("name", "");
  if (slot.name.size() > slot_name_bytes_max) throw ValidationError("a name is too long");
  return slot;
}

RecoverySlots slots_from(std::string_view text, const std::filesystem::path& path) {
  try {
    const Json document = parse_json(text, path.string());
    const auto format = document.at("format").get<std::int64_t>();
    if (format != recovery_format) {
      throw UnsupportedError(fmt::format("{} has format {}, and this program knows format {}", path.string(),
                                         format, recovery_format),
                             "Use the version of nerve-db that wrote it, or a newer one.");
    }
    const Json& list = document.at("slots");
    if (!list.is_array() || list.size() > slots_max) throw ValidationError("it has too many slots");
    RecoverySlots slots;
    for (const Json& one : list) slots.push_back(slot_from(one));
    return slots;
  } catch (const ValidationError& error) {
    throw damaged(path, error.what());
  } catch (const nlohmann::json::exception&) {
    throw damaged(path, "a field is missing or of another type");
  }
}

std::string text_of(const RecoverySlots& slots) {
  Json list = Json::array();
  for (const RecoverySlot& slot : slots) {
    list.push_back({{"key", slot.key},
                    {"recovery_salt", to_hex(slot.salt)},
                    {"wrapped", to_hex(slot.wrapped)},
                    {"made_at", slot.made_at.to_text()}});
    if (!slot.name.empty()) list.back()["name"] = slot.name;
  }
  return Json{{"format", recovery_format}, {"slots", std::move(list)}}.dump(2) + "\n";
}

/// Absent also where it cannot be read.
std::optional<RecoverySlots> readable_slots_in(const std::filesystem::path& folder) {
  try {
    return recovery_slots_in(folder);
  } catch (const IntegrityError&) {
    return std::nullopt;
  } catch (const UnsupportedError&) {
    return std::nullopt;
  } catch (const DeniedError&) {
    return std::nullopt;
  }
}

/// A damaged note is written anew, and one that this program cannot read is not.
RecoverySlots slots_to_change(const Repository& repository) {
  std::optional<RecoverySlots> slots;
  try {
    slots = recovery_slots_in(repository.path());
  } catch (const DamagedRepositoryError&) {
    throw;
  } catch (const IntegrityError&) {
    slots.reset();
  }
  return slots ? *std::move(slots) : known_recovery_slots(repository.path(), backup_names(repository.path()));
}

bool holds(const RecoverySlots& slots, const RecoverySlot& slot) {
  return std::ranges::any_of(slots, [&](const RecoverySlot& one) {
    return one.key == slot.key && one.salt == slot.salt && one.wrapped == slot.wrapped;
  });
}

void add_missing(RecoverySlots& slots, const RecoverySlots& others) {
  for (const RecoverySlot& slot : others) {
    if (slots.size() < slots_max && !holds(slots, slot)) slots.push_back(slot);
  }
}

}  // namespace

std::optional<RecoverySlots> recovery_slots_in(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / recovery_file_name;
  try {
    return slots_from(read_small_file(path, file_bytes_max), path);
  } catch (const NotFoundError&) {
    return std::nullopt;
  }
}

RecoverySlots known_recovery_slots(const std::filesystem::path& repository,
                                   const std::vector<std::string>& backups) {
  if (std::optional<RecoverySlots> slots = readable_slots_in(repository)) return *std::move(slots);
  RecoverySlots slots;
  for (const std::string& name : backups) {
    if (const auto of_backup = readable_slots_in(repository / name)) add_missing(slots, *of_backup);
  }
  return slots;
}

void visit_recovery_slots(const std::filesystem::path& repository,
                          const std::function<bool(const RecoverySlot&)>& take) {
  const auto is_done_with = [&](const std::filesystem::path& folder) {
    const std::optional<RecoverySlots> slots = readable_slots_in(folder);
    return slots && std::ranges::any_of(*slots, take);
  };
  if (is_done_with(repository)) return;
  for (const std::string& name : backup_names(repository)) {
    if (is_done_with(repository / name)) return;
  }
}

void change_recovery_slots(const Repository& repository, const std::function<void(RecoverySlots&)>& change) {
  const RepositoryLock lock = RepositoryLock::shared(repository);
  const std::filesystem::path path = repository.path() / recovery_file_name;
  const FileUpdate options{.size_bytes_max = file_bytes_max,
                           .hint = "Run it as a user who may write to the repository."};
  // A FIFO in its place would keep the reader waiting.
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, error))) repository_file_bytes(path);
  update_file(path, options, [&](const std::optional<std::string>& /*before*/) {
    RecoverySlots slots = slots_to_change(repository);
    change(slots);
    if (slots.size() > slots_max) {
      throw ConflictError(
          fmt::format("{} has {} recovery keys already", repository.path().string(), slots_max),
          fmt::format("Revoke those that nobody keeps: nerve-db backup recovery-key --revoke --repo {}.",
                      shell_word(repository.path().string())));
    }
    return text_of(slots);
  });
}

void write_recovery_slots(const std::filesystem::path& file, const RecoverySlots& slots) {
  write_new_file(file, text_of(slots));
}

void replace_recovery_slots(const Repository& repository, const BackupId& id, const RecoverySlots& slots) {
  if (!slots.empty()) return write_note(repository, id, recovery_file_name, text_of(slots));
  remove_repository_file(repository.folder_of(id) / recovery_file_name);
  sync_folder(repository.folder_of(id));
}

void add_recovery_slots(const Repository& repository, const RecoverySlots& slots) {
  const RecoverySlots known = known_recovery_slots(repository.path(), {});
  const bool is_known =
      std::ranges::all_of(slots, [&](const RecoverySlot& slot) { return holds(known, slot); });
  if (is_known || known.size() >= slots_max) return;
  change_recovery_slots(repository, [&](RecoverySlots& all) { add_missing(all, slots); });
}

}  // namespace nerve::backups
