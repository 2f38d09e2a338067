// SPDX-License-Identifier: Apache-2.0
// nerve-db backup list, show and repair
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "context.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace nerve::cli {

namespace {

using backups::Entry;
using backups::Manifest;
using backups::Repository;

Json entry_json(const Entry& entry) {
  if (entry.manifest) {
    Json json = entry.manifest->to_json();
    json["problem"] = "";
    return json;
  }
  return {{"id", entry.name}, {"problem", entry.problem}};
}

/// Two ids may end in the same characters; then both are shown whole.
std::string shown_id(const std::vector<Entry>& entries, const Entry& entry) {
  constexpr std::size_t length = backups::BackupId::short_length;
  const std::string ending = entry.name.substr(entry.name.size() - std::min(length, entry.name.size()));
  const auto alike = std::count_if(entries.begin(), entries.end(),
                                   [&](const Entry& other) { return other.name.ends_with(ending); });
  return alike > 1 ? entry.name : ending;
}

std::string_view state_of(const Entry& entry) {
  if (entry.is_gone) return "gone";
  if (entry.is_unauthenticated) return "unauthenticated";
  return entry.is_damage_noted ? "damaged" : "unreadable";
}

void show_entries(Output& output, const std::vector<Entry>& entries) {
  constexpr auto right = Column::Align::right;
  Table table{
      .columns =
          {{"ID"}, {"MADE"}, {"FORM"}, {"SIZE", right}, {"ROWS", right}, {"KIND"}, {"STATE"}, {"DATABASE"}},
      .rows = {}};
  for (const Entry& entry : entries) {
    const std::string id = shown_id(entries, entry);
    if (!entry.manifest) {
      table.rows.push_back({id,
                            entry.created_at ? output.time(*entry.created_at) : "",
                            "",
                            "",
                            "",
                            "",
                            {std::string(state_of(entry)), Style::bad},
                            entry.problem});
      continue;
    }
    const Manifest& manifest = *entry.manifest;
    const std::string state(manifest.is_emptied ? "emptied" : backups::to_string(manifest.state));
    const Style style = state == "good" ? Style::good : Style::warning;
    const std::optional<std::int64_t> rows = manifest.rows_total();
    table.rows.push_back({id, output.time(manifest.created_at), form_of(manifest),
                          format_size(manifest.file.size_bytes), rows ? format_count(*rows) : "",
                          std::string(backups::to_string(manifest.kind)), TableCell(state, style),
                          manifest.source.path});
  }
  output.table(table);
}

int run_list(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const auto source = context.named_database_file(backup_instead_for_postgresql);
  const KeyedRepository keyed = open_with_keys_at_hand(context, arguments, source);
  const Repository& repository = keyed.repository;
  std::vector<Entry> entries = repository.list();
  if (source) {
    // One that cannot be read may be of this database, so it stays.
    std::erase_if(entries, [&, name = backups::source_name(*source)](const Entry& entry) {
      return entry.manifest && entry.manifest->source.path != name;
    });
  }
  if (output.wants_json()) {
    Json list = Json::array();
    for (const Entry& entry : entries) list.push_back(entry_json(entry));
    output.json({{"repository", backups::source_name(repository.path())}, {"backups", std::move(list)}});
  } else if (arguments.has("--ids")) {
    for (const Entry& entry : entries) {
      if (!entry.is_gone) output.line(entry.name);
    }
  } else if (entries.empty()) {
    output.note("there is no backup yet");
  } else {
    show_entries(output, entries);
  }
  warn_of_unreadable(output, entries, repository);
  return 0;
}

void show_manifest(Output& output, const Manifest& manifest, const Repository& repository) {
  std::vector<std::pair<std::string, TableCell>> pairs = {
      {"id", manifest.id.to_string()},
      {"made", output.time(manifest.created_at)},
      {"kind", std::string(backups::to_string(manifest.kind))},
      {"state", manifest.is_emptied ? "good, but emptied: an earlier backup of the database holds rows"
                                    : std::string(backups::to_string(manifest.state))},
      {"database", manifest.source.path},
      {"file", (repository.folder_of(manifest.id) / manifest.file.name).string()},
      {"form", form_of(manifest)},
      {"size", format_size(manifest.file.size_bytes)}};
  if (manifest.container) {
    pairs.emplace_back("size of the database", format_size(manifest.database_bytes()));
    pairs.emplace_back("pages in it", format_count(manifest.container->stored_pages));
    if (manifest.container->consolidated_from) {
      pairs.emplace_back("made of", manifest.container->consolidated_from->to_string());
    }
    if (manifest.container->parent) {
      pairs.emplace_back("delta to", manifest.container->parent->to_string());
      pairs.emplace_back("full", manifest.container->generation.to_string());
    }
  } else {
    pairs.emplace_back("SHA-256", manifest.file.sha256);
  }
  if (manifest.state == backups::State::good) {
    pairs.emplace_back("checks", fmt::format("{} of the source, {} of the copy", manifest.checks.source,
                                             manifest.checks.copy));
    if (const std::optional<std::int64_t> rows = manifest.rows_total()) {
      pairs.emplace_back("rows without parent", format_count(manifest.checks.foreign_key_violations));
      pairs.emplace_back("rows", format_count(*rows));
    }
  }
  pairs.emplace_back("took", format_duration(std::chrono::milliseconds(manifest.duration_ms)));
  output.key_values(pairs);
  if (manifest.tables.empty()) return;
  output.line("");
  Table table{.columns = {{"TABLE"}, {"ROWS", Column::Align::right}}, .rows = {}};
  for (const backups::TableRows& rows : manifest.tables)
    table.rows.push_back({rows.name, format_count(rows.rows)});
  output.table(table);
}

int run_show(Context& context, const Arguments& arguments) {
  const KeyedRepository keyed =
      open_with_keys_at_hand(context, arguments, context.database_of_latest(backup_instead_for_postgresql));
  const Repository& repository = keyed.repository;
  const Manifest manifest = manifest_from(context, arguments, repository);
  if (context.output().wants_json()) {
    context.output().json(manifest_json(manifest, repository));
  } else {
    show_manifest(context.output(), manifest, repository);
  }
  return 0;
}

std::string described_repair(const backups::Repair& repair, const Repository& repository) {
  const std::string where = repository.path().string();
  if (!repair.made_marker && !repair.made_catalogue) {
    return fmt::format("marker and catalogue of {} are sound", where);
  }
  const std::string_view what = !repair.made_catalogue ? "the marker"
                                : !repair.made_marker  ? "the catalogue"
                                                       : "the marker and the catalogue";
  return fmt::format("made {} of {} anew", what, where);
}

/// There is nothing to repair, but what this machine remembered kept another repository from beginning there.
int show_forgotten(Output& output, const std::filesystem::path& folder) {
  if (output.wants_json()) {
    output.json({{"repository", backups::source_name(folder)},
                 {"repaired", false},
                 {"forgot_witness", true},
                 {"backups", 0}});
  } else {
    output.line(fmt::format("{} holds no backup; what was seen there before is forgotten", folder.string()),
                Style::good);
  }
  return 0;
}

int run_repair(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::filesystem::path folder = context.repository();
  backups::RepairOptions options;
  options.vouch = arguments.has("--authenticate");
  options.witness_folder = state_folder();
  const std::optional<backups::BackupKey> key =
      options.vouch ? required_keys(context, arguments, Repository::open(folder), std::nullopt)
                    : keys_at_hand(context, arguments, std::nullopt);
  options.key = key ? &*key : nullptr;
  const backups::Repair repair = Repository::repair(folder, options);
  if (repair.is_empty) return show_forgotten(output, folder);
  const Repository repository = Repository::open(folder).for_key(options.key);
  const std::vector<Entry> entries = repository.list();
  if (output.wants_json()) {
    output.json({{"repository", backups::source_name(repository.path())},
                 {"repaired", repair.made_marker || repair.made_catalogue},
                 {"made_marker", repair.made_marker},
                 {"made_catalogue", repair.made_catalogue},
                 {"vouched_for", repair.vouched_for},
                 {"forgotten", repair.forgotten},
                 {"forgot_witness", repair.forgot_witness},
                 {"backups", entries.size()},
                 {"unreadable", count_unreadable(entries)}});
  } else {
    output.line(fmt::format("{}; backups in it: {}", described_repair(repair, repository), entries.size()),
                Style::good);
    for (const std::string& id : repair.vouched_for) {
      output.line(fmt::format("  backup {} is authenticated with the key now", id));
    }
    for (const std::string& id : repair.forgotten) {
      output.line(fmt::format("  backup {} is gone, and no longer missed", id), Style::warning);
    }
  }
  const bool holds_encrypted = std::ranges::any_of(
      entries, [](const Entry& entry) { return entry.manifest && entry.manifest->authentication; });
  if (holds_encrypted && !key && repair.made_catalogue) {
    output.warning(
        "the repository holds encrypted backups, and no key was given, so the new catalogue is not "
        "authenticated: run "
        "it again with the key");
  }
  warn_of_unreadable(output, entries, repository);
  return 0;
}

}  // namespace

Command list_command() {
  return {
      .name = "list",
      .summary = "list the backups of a repository, oldest first",
      .description =
          "With the key of encrypted backups only those count that are authenticated with it; what somebody\n"
          "without the key has put there is told.",
      .options = with_key_options({repository_option(),
                                   whose_option("only backups of this database"),
                                   {.name = "--ids", .description = "only whole ids, one a line"}}),
      .example = "nerve-db backup list --db chinook.sqlite",
      .run = &run_list};
}

Command show_command() {
  return {.name = "show",
          .summary = "show what a backup holds",
          .operands = {id_operand(true)},
          .options = with_key_options({repository_option(), whose_option("database that latest is about")}),
          .example = "nerve-db backup show latest --db chinook.sqlite",
          .run = &run_show};
}

Command repair_command() {
  return {
      .name = "repair",
      .summary = "make the lost or damaged marker or catalogue of a repository again",
      .description =
          "The marker, nerve-repository.json, says that a folder is a repository; the catalogue,\n"
          "catalogue.jsonl, which backups it should hold. Both are made to say what is there, so that a\n"
          "backup that is gone is no longer missed. The backups are not touched: 'nerve-db backup verify\n"
          "--all' looks at them. With the key of encrypted backups the catalogue is authenticated again;\n"
          "--authenticate also vouches for encrypted backups that are not, such as those of an older "
          "nerve-db.",
      .options = with_key_options(
          {repository_option(),
           whose_option("database whose repository is meant"),
           {.name = "--authenticate",
            .description = "authenticate every encrypted backup that opens with the key: they are yours"}}),
      .example = "nerve-db backup repair --db chinook.sqlite",
      .run = &run_repair};
}

}  // namespace nerve::cli
