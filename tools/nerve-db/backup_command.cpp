// SPDX-License-Identifier: Apache-2.0
// nerve-db backup, and backup list, show, verify and repair
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_key.h"
#include "command.h"
#include "context.h"
#include "row_count.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nerve::cli {

namespace {

using backups::Entry;
using backups::Manifest;
using backups::Repository;
using backups::VerifyReport;

/// Where a backup lies belongs to what a program must know of it.
Json manifest_json(const Manifest& manifest, const Repository& repository) {
  Json json = manifest.to_json();
  json["repository"] = backups::source_name(repository.path());
  return json;
}

/// "984.0 KiB, 15,607 rows", without the rows where they were not counted.
std::string extent_of(const Manifest& manifest) {
  const std::optional<std::int64_t> rows = manifest.rows_total();
  return format_size(manifest.database_bytes()) + (rows ? ", " + row_count(*rows) : "");
}

/// "a delta", "an encrypted full", "a plain copy".
std::string described_form(const Manifest& manifest) {
  if (!manifest.container) return "a plain copy";
  const std::string form = manifest.container->parent ? "delta" : "full";
  return (manifest.is_encrypted() ? "an encrypted " : "a ") + form;
}

/// "plain", "full" or "delta", and whether it is encrypted.
std::string form_of(const Manifest& manifest) {
  if (!manifest.container) return "plain";
  const std::string form = manifest.container->parent ? "delta" : "full";
  return manifest.is_encrypted() ? form + ", encrypted" : form;
}

/// What a backup is made with; the key of the options lives in `key`.
backups::BackupOptions options_from(Context& context, const Arguments& arguments,
                                    const Repository& repository, const std::filesystem::path& source,
                                    std::optional<backups::BackupKey>& key) {
  if (arguments.has("--full") && arguments.has("--plain")) {
    throw ValidationError("--full and --plain are both given", "Give one of them.");
  }
  if (arguments.has("--deep") && arguments.has("--no-check")) {
    throw ValidationError("--deep and --no-check are both given", "Give one of them.");
  }
  backups::BackupOptions options;
  if (arguments.has("--plain")) options.form = backups::Form::plain;
  if (arguments.has("--full")) options.form = backups::Form::full;
  if (arguments.has("--deep")) options.check = backups::SourceCheck::deep;
  if (arguments.has("--no-check")) options.check = backups::SourceCheck::none;
  options.busy_timeout =
      std::chrono::milliseconds(context.settings_for_copying().integer("database.busy_timeout_ms"));
  options.on_note = [&context](const std::string& note) { context.output().note(note); };
  const bool goes_on =
      options.form != backups::Form::plain && backups::has_encrypted_backup(repository, source);
  if (goes_on || arguments.has("--encrypt") || names_key(arguments)) {
    key.emplace(required_key(context.output(), arguments, goes_on ? KeyUse::existing : KeyUse::first));
    options.key = &*key;
  }
  return options;
}

/// An empty database is seldom meant, least of all where there were rows before.
void tell_of_emptiness(Output& output, const Manifest& manifest, const Repository& repository) {
  if (manifest.has_rows) return;
  const auto earlier =
      manifest.is_emptied ? repository.newest_with_rows(manifest.source.path) : std::optional<Manifest>();
  if (!earlier) {
    output.warning(fmt::format("{} holds no rows, so the backup holds none", manifest.source.path));
    return;
  }
  throw Error(
      ErrorKind::partial,
      fmt::format(
          "{} has lost all its rows: its backup {} of {} holds {}; the new one, {}, is kept as emptied "
          "and is not what latest means",
          manifest.source.path, earlier->id.short_text(), output.time(earlier->created_at),
          earlier->rows_total() ? row_count(*earlier->rows_total()) : "rows", manifest.id.short_text()),
      fmt::format(
          "To bring the rows back: nerve-db restore {} --repo {} --db {}. If they were removed on purpose, "
          "the first backup with new rows is latest again.",
          earlier->id.short_text(), shell_word(repository.path().string()),
          shell_word(manifest.source.path)));
}

int run_backup(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::filesystem::path source = context.database_file(backup_instead_for_postgresql);
  const Repository repository = Repository::open_or_create(context.repository());
  std::optional<backups::BackupKey> key;
  const backups::BackupOptions options = options_from(context, arguments, repository, source, key);
  const Manifest manifest = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    return backups::create_backup(source, repository, options, system_clock(), &progress);
  }();
  output.note(fmt::format("backed up {}: {}, as {} of {} in {}", manifest.source.path, extent_of(manifest),
                          described_form(manifest), format_size(manifest.file.size_bytes),
                          format_duration(std::chrono::milliseconds(manifest.duration_ms))));
  if (output.wants_json()) {
    output.json(manifest_json(manifest, repository));
  } else {
    output.line(manifest.id.to_string());
  }
  tell_of_emptiness(output, manifest, repository);
  return 0;
}

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

void show_entries(Output& output, const std::vector<Entry>& entries) {
  constexpr auto right = Column::Align::right;
  Table table{
      .columns =
          {{"ID"}, {"MADE"}, {"FORM"}, {"SIZE", right}, {"ROWS", right}, {"KIND"}, {"STATE"}, {"DATABASE"}},
      .rows = {}};
  for (const Entry& entry : entries) {
    const std::string id = shown_id(entries, entry);
    if (!entry.manifest) {
      table.rows.push_back({id, "", "", "", "", "", {"unreadable", Style::bad}, entry.problem});
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

std::ptrdiff_t count_unreadable(const std::vector<Entry>& entries) {
  return std::count_if(entries.begin(), entries.end(), [](const Entry& one) { return !one.manifest; });
}

void warn_of_unreadable(Output& output, const std::vector<Entry>& entries, const Repository& repository) {
  const std::ptrdiff_t unreadable = count_unreadable(entries);
  if (unreadable == 0) return;
  output.warning(
      fmt::format("{} of {} backups cannot be trusted; this says why: nerve-db backup verify --all --repo {}",
                  unreadable, entries.size(), shell_word(repository.path().string())));
}

int run_list(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const auto source = context.named_database_file(backup_instead_for_postgresql);
  const Repository repository = Repository::open(context.repository());
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
    for (const Entry& entry : entries) output.line(entry.name);
  } else if (entries.empty()) {
    output.note("there is no backup yet");
  } else {
    show_entries(output, entries);
  }
  warn_of_unreadable(output, entries, repository);
  return 0;
}

Manifest manifest_from(Context& context, const Arguments& arguments, const Repository& repository) {
  return choose_backup(repository, arguments.text("ID").value_or("latest"),
                       context.named_database_file(backup_instead_for_postgresql));
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
  const Repository repository = Repository::open(context.repository());
  const Manifest manifest = manifest_from(context, arguments, repository);
  if (context.output().wants_json()) {
    context.output().json(manifest_json(manifest, repository));
  } else {
    show_manifest(context.output(), manifest, repository);
  }
  return 0;
}

void show_report(Output& output, const VerifyReport& report) {
  const bool is_worth_little = report.ok() && report.is_of_damaged_source();
  const Style style = !report.ok() ? Style::bad : is_worth_little ? Style::warning : Style::good;
  output.line(fmt::format("{}  {}", report.id,
                          !report.ok()      ? "damaged"
                          : is_worth_little ? "ok, but the raw copy of a damaged source"
                                            : "ok"),
              style);
  for (const std::string& problem : report.problems) output.line("  " + problem);
  if (!report.deep || !report.ok()) return;
  output.line(fmt::format("  {}, {} without parent, content {}", row_count(report.rows),
                          format_count(report.foreign_key_violations), report.content_sha256));
}

void require_sound(const std::vector<VerifyReport>& reports, const Repository& repository) {
  const auto damaged =
      std::count_if(reports.begin(), reports.end(), [](const VerifyReport& one) { return !one.ok(); });
  if (damaged == 0) return;
  const VerifyReport& first = *std::ranges::find_if_not(reports, &VerifyReport::ok);
  const std::string message = reports.size() == 1
                                  ? fmt::format("backup {} is damaged: {}", first.id, first.problems.front())
                                  : fmt::format("{} of {} backups are damaged", damaged, reports.size());
  const std::string folder = repository.path().string();
  // Of a manifest that cannot be trusted it is not known whose backup it is.
  const std::string database = first.source.empty() ? std::string() : " --db " + shell_word(first.source);
  throw IntegrityError(
      message,
      fmt::format("Make a new backup now: nerve-db backup --repo {}{}. Then look for what changed the "
                  "files in the repository.",
                  shell_word(folder), database));
}

/// For health, which tells how long ago a backup was last proved. A repository that may only be read cannot
/// keep it.
void note_proofs(Output& output, const Repository& repository, const std::vector<VerifyReport>& reports) {
  for (const VerifyReport& report : reports) {
    if (!report.ok()) continue;
    try {
      const backups::Proof proof = report.deep ? backups::Proof::deep : backups::Proof::hashes;
      backups::record_verification(repository, backups::BackupId::parse(report.id), proof, system_clock());
    } catch (const Error& error) {
      output.note(fmt::format("the verification could not be noted: {}", error.what()));
    }
  }
}

bool holds_encrypted(const Repository& repository) {
  return std::ranges::any_of(
      repository.list(), [](const Entry& entry) { return entry.manifest && entry.manifest->is_encrypted(); });
}

int run_verify(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const bool all = arguments.has("--all");
  if (all && arguments.has("ID")) {
    throw ValidationError("an ID and --all are both given", "Give one of them.");
  }
  const Repository repository = Repository::open(context.repository());
  std::vector<Manifest> meant;
  if (!all) meant.push_back(manifest_from(context, arguments, repository));
  std::optional<backups::BackupKey> key;
  if (names_key(arguments) || (all ? holds_encrypted(repository) : meant.front().is_encrypted())) {
    key.emplace(required_key(output, arguments, KeyUse::existing));
  }
  backups::VerifyOptions options;
  options.deep = arguments.has("--deep");
  options.key = key ? &*key : nullptr;
  options.scratch = arguments.text("--scratch").value_or("");
  const std::vector<VerifyReport> reports = [&]() -> std::vector<VerifyReport> {
    Progress progress(output.talk(), output.progress(Progress::Unit::bytes));
    if (all) return backups::verify_all(repository, options, &progress);
    return {backups::verify_backup(repository, meant.front(), options, &progress)};
  }();
  note_proofs(output, repository, reports);
  if (!output.wants_json()) {
    for (const VerifyReport& report : reports) show_report(output, report);
    if (reports.empty()) output.note("there is no backup yet");
  } else if (all) {
    Json list = Json::array();
    for (const VerifyReport& report : reports) list.push_back(report.to_json());
    const bool ok =
        std::all_of(reports.begin(), reports.end(), [](const VerifyReport& one) { return one.ok(); });
    output.json({{"ok", ok}, {"backups", std::move(list)}});
  } else {
    output.json(reports.front().to_json());
  }
  require_sound(reports, repository);
  return 0;
}

int run_repair(Context& context, const Arguments&) {
  Output& output = context.output();
  const std::filesystem::path folder = context.repository();
  const bool is_repaired = Repository::repair(folder);
  const Repository repository = Repository::open(folder);
  const std::vector<Entry> entries = repository.list();
  if (output.wants_json()) {
    output.json({{"repository", backups::source_name(repository.path())},
                 {"repaired", is_repaired},
                 {"backups", entries.size()},
                 {"unreadable", count_unreadable(entries)}});
  } else {
    output.line(is_repaired ? fmt::format("made the marker of {} again; backups in it: {}",
                                          repository.path().string(), entries.size())
                            : fmt::format("the marker of {} is sound; backups in it: {}",
                                          repository.path().string(), entries.size()),
                Style::good);
  }
  warn_of_unreadable(output, entries, repository);
  return 0;
}

Parameter id_operand(bool required) {
  return {.name = "ID",
          .type = ValueType::backup,
          .description = required ? "id of the backup, its last 8 characters, or latest"
                                  : "id of the backup, its last 8 characters, or latest (default: latest)",
          .required = required};
}

Parameter whose_option(std::string_view description) {
  Parameter option = database_option();
  option.description = description;
  return option;
}

std::vector<Parameter> with_key_options(std::vector<Parameter> options) {
  for (Parameter& option : key_options()) options.push_back(std::move(option));
  return options;
}

Command list_command() {
  return {.name = "list",
          .summary = "list the backups of a repository, oldest first",
          .options = {repository_option(),
                      whose_option("only backups of this database"),
                      {.name = "--ids", .description = "only whole ids, one a line"}},
          .example = "nerve-db backup list --db chinook.sqlite",
          .run = &run_list};
}

Command show_command() {
  return {.name = "show",
          .summary = "show what a backup holds",
          .operands = {id_operand(true)},
          .options = {repository_option(), whose_option("database that latest is about")},
          .example = "nerve-db backup show latest --db chinook.sqlite",
          .run = &run_show};
}

Command verify_command() {
  return {
      .name = "verify",
      .summary = "prove that backups are what they were",
      .description =
          "Compares each page with its hash, also those of the backups that a delta builds on, and a plain\n"
          "copy with its SHA-256. With --deep it also restores the database to a file that is gone "
          "afterwards,\n"
          "checks its structure and row counts, and shows a digest of its content (docs/content_digest.md).",
      .operands = {id_operand(false)},
      .options = with_key_options({repository_option(),
                                   whose_option("database that latest is about"),
                                   {.name = "--all", .description = "every backup of the repository"},
                                   {.name = "--deep", .description = "also look into the database"},
                                   {.name = "--scratch",
                                    .value_name = "DIR",
                                    .type = ValueType::folder,
                                    .description = "where --deep restores to (default: the repository)"}}),
      .exit_codes = "6 when a backup is damaged; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db backup verify latest --deep --db chinook.sqlite",
      .run = &run_verify};
}

Command repair_command() {
  return {.name = "repair",
          .summary = "make the lost or damaged marker of a repository again",
          .description =
              "The marker, nerve-repository.json, says that a folder is a repository. The backups are not\n"
              "touched: 'nerve-db backup verify --all' looks at them.",
          .options = {repository_option(), whose_option("database whose repository is meant")},
          .example = "nerve-db backup repair --db chinook.sqlite",
          .run = &run_repair};
}

}  // namespace

Command backup_command() {
  return {
      .name = "backup",
      .summary = "make a checked copy of a database",
      .description =
          "Others may go on reading and writing. The first backup is a full, compressed; the next ones\n"
          "hold the pages that changed, until these weigh more than the full. The database is checked\n"
          "first, and a damaged one is refused. Standard output is the id of the new backup. One of a\n"
          "database that has lost all its rows is kept, but latest goes on meaning the one that holds\n"
          "them. Once encrypted, the backups of a database stay so: each needs the key.",
      .options = with_key_options(
          {database_option(),
           repository_option(),
           {.name = "--full", .description = "make a full, which needs no other backup"},
           {.name = "--plain",
            .description = "make an ordinary SQLite file, neither compressed nor encrypted"},
           {.name = "--encrypt", .description = "encrypt from now on; implied by the two options of the key"},
           {.name = "--deep", .description = "check the source by integrity_check instead of quick_check"},
           {.name = "--no-check", .description = "store the database unchecked, which is faster"}}),
      .commands = {list_command(), show_command(), verify_command(), prune_command(), hold_command(),
                   release_command(), repair_command()},
      .exit_codes =
          "6 when the database is damaged; 10 when it has lost all its rows since an earlier backup,\n"
          "and the new one is kept as emptied; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db backup --db chinook.sqlite",
      .run = &run_backup};
}

}  // namespace nerve::cli
