// SPDX-License-Identifier: Apache-2.0
#include "backups/hostile_hand.h"

#include "layout.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/hash.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace nerve::test {
namespace {

std::string sha256_of(const std::string& text) {
  return to_hex(crypto::sha256(as_bytes(text)));
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

}  // namespace

backups::BackupKey key_of_file(std::byte octet) {
  constexpr std::size_t key_bytes = 32;
  const TempFolder folder;
  const std::filesystem::path path = folder / "key";
  write_text(path, std::string(key_bytes, static_cast<char>(octet)));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  return backups::BackupKey::from_file(path);
}

void edit_manifest(const backups::Repository& repository, const backups::BackupId& id,
                   const std::function<void(Json&)>& edit) {
  const std::filesystem::path path = repository.folder_of(id) / backups::manifest_file_name;
  Json json = Json::parse(bytes_of(path));
  edit(json);
  json.erase("manifest_sha256");
  // RFC 8785, as docs/backup_repository.md says.
  json["manifest_sha256"] = sha256_of(to_canonical_text(json));
  write_text(path, json.dump(2) + "\n");
}

void fit_catalogue(const backups::Repository& repository) {
  std::filesystem::remove(repository.path() / backups::catalogue_file_name);
  backups::Repository::repair(repository.path());
}

void plant(const backups::Repository& from, const backups::BackupId& id, const backups::Repository& to) {
  std::filesystem::copy(from.folder_of(id), to.folder_of(id), std::filesystem::copy_options::recursive);
}

void age_manifests(const backups::Repository& repository, const std::function<void(Json&)>& edit) {
  for (const backups::Entry& entry : repository.list()) {
    edit_manifest(repository, backups::BackupId::parse(entry.name), edit);
  }
  fit_catalogue(repository);
}

std::vector<std::string> catalogue_lines(const backups::Repository& repository) {
  std::istringstream text(bytes_of(repository.path() / backups::catalogue_file_name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

void write_catalogue(const backups::Repository& repository, const std::vector<Json>& lines) {
  std::string text;
  std::string before;
  for (Json line : lines) {
    if (!before.empty()) line["previous"] = sha256_of(before);
    before = line.dump();
    text += before + "\n";
  }
  write_text(repository.path() / backups::catalogue_file_name, text);
}

void put_back(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

std::string problem_of(const backups::Repository& repository, const backups::BackupId& id) {
  const std::vector<backups::Entry> entries = repository.list();
  const auto found = std::ranges::find(entries, id.to_string(), &backups::Entry::name);
  if (found == entries.end()) throw std::runtime_error("backup " + id.to_string() + " is not listed");
  return found->problem;
}

}  // namespace nerve::test
