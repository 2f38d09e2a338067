// SPDX-License-Identifier: Apache-2.0
#include "backup_text.h"

#include "backup_choice.h"
#include "backup_key.h"
#include "command.h"
#include "row_count.h"

#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace nerve::cli {

using backups::Entry;
using backups::Manifest;
using backups::Repository;

Json manifest_json(const Manifest& manifest, const Repository& repository) {
  Json json = manifest.to_json();
  json["repository"] = backups::source_name(repository.path());
  return json;
}

std::string extent_of(const Manifest& manifest) {
  const std::optional<std::int64_t> rows = manifest.rows_total();
  return format_size(manifest.database_bytes()) + (rows ? ", " + row_count(*rows) : "");
}

std::string described_form(const Manifest& manifest) {
  if (!manifest.container) return "a plain copy";
  const std::string form = manifest.container->parent ? "delta" : "full";
  return (manifest.is_encrypted() ? "an encrypted " : "a ") + form;
}

std::string form_of(const Manifest& manifest) {
  if (!manifest.container) return "plain";
  const std::string form = manifest.container->parent ? "delta" : "full";
  return manifest.is_encrypted() ? form + ", encrypted" : form;
}

std::ptrdiff_t count_unreadable(const std::vector<Entry>& entries) {
  return std::count_if(entries.begin(), entries.end(), [](const Entry& one) { return !one.manifest; });
}

void warn_of_unreadable(Output& output, const std::vector<Entry>& entries, const Repository& repository) {
  for (const std::string& problem : repository.catalogue_problems()) output.warning(problem);
  const std::ptrdiff_t unreadable = count_unreadable(entries);
  if (unreadable == 0) return;
  output.warning(
      fmt::format("{} of {} backups cannot be trusted; this says why: nerve-db backup verify --all --repo {}",
                  unreadable, entries.size(), shell_word(repository.path().string())));
}

Manifest manifest_from(Context& context, const Arguments& arguments, const Repository& repository) {
  return choose_backup(repository, arguments.text("ID").value_or("latest"),
                       context.database_of_latest(backup_instead_for_postgresql));
}

Argument id_operand(bool required) {
  return {.name = "ID",
          .type = ArgumentType::backup,
          .description = required ? "id of the backup, its last 8 characters, or latest"
                                  : "id of the backup, its last 8 characters, or latest (default: latest)",
          .required = required};
}

Argument whose_option(std::string_view description) {
  Argument option = database_option();
  option.description = description;
  return option;
}

Argument also_option() {
  return {
      .name = "--also",
      .value_name = "DIR",
      .type = ArgumentType::folder,
      .description = "copy it, and what else is missing there, to the repository DIR (default: backup.also)"};
}

std::optional<std::filesystem::path> second_folder(Context& context, const Arguments& arguments) {
  if (const auto named = arguments.text("--also")) return *named;
  std::filesystem::path folder = context.settings_for_copying().path("backup.also");
  if (folder.empty()) return std::nullopt;
  return folder;
}

std::vector<Argument> with_key_options(std::vector<Argument> options) {
  for (Argument& option : key_options()) options.push_back(std::move(option));
  options.push_back(recovery_key_option());
  return options;
}

}  // namespace nerve::cli
