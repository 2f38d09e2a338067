// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The names inside a repository (docs/backup_repository.md).
namespace nerve::backups {

inline constexpr std::string_view marker_file_name = "nerve-repository.json";
inline constexpr std::string_view partial_marker_file_name = ".nerve-repository.json.partial";
inline constexpr std::string_view partial_folder_prefix = ".partial-";
inline constexpr std::string_view catalogue_file_name = "catalogue.jsonl";
inline constexpr std::string_view copies_file_name = "copies.json";
inline constexpr std::string_view manifest_file_name = "manifest.json";
inline constexpr std::string_view verification_file_name = "verified.json";
inline constexpr std::string_view damage_file_name = "damaged.json";
inline constexpr std::string_view proof_file_prefix = "proof-";
inline constexpr std::string_view hold_file_name = "held.json";
inline constexpr std::string_view recovery_file_name = "recovery.json";  ///< of the repository, and of a full
inline constexpr std::string_view schedule_file_name = "schedule.json";
inline constexpr std::string_view database_file_name = "database.sqlite";
inline constexpr std::string_view container_file_name = "pages.zst";
inline constexpr std::string_view sealed_container_file_name = "pages.sealed";
inline constexpr std::string_view wal_file_name = "database.sqlite-wal";
inline constexpr std::string_view journal_file_name = "database.sqlite-journal";

}  // namespace nerve::backups
