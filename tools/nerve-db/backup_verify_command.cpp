// SPDX-License-Identifier: Apache-2.0
// nerve-db backup verify
#include "backup_commands.h"
#include "backup_key.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "context.h"
#include "row_count.h"

#include "nerve/backups/replication.h"
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
#include <optional>

namespace nerve::cli {

namespace {

using backups::Manifest;
using backups::Repository;
using backups::VerifyReport;

void show_report(Output& output, const VerifyReport& report) {
  const bool is_worth_little = report.ok() && report.is_of_damaged_source();
  const Style style = !report.ok() ? Style::bad : is_worth_little ? Style::warning : Style::good;
  output.line(fmt::format("{}  {}", report.id,
                          report.is_unauthenticated ? "not authenticated"
                          : !report.ok()            ? "damaged"
                          : is_worth_little         ? "ok, but of a database that was damaged"
                                                    : "ok"),
              style);
  for (const std::string& problem : report.problems) output.line("  " + problem);
  for (const std::string& one : report.unchecked) output.line("  not checked: " + one, Style::warning);
  if (!report.deep || !report.ok()) return;
  output.line(fmt::format("  {}, {} without parent, content {}", row_count(report.rows),
                          format_count(report.foreign_key_violations), report.content_sha256));
}

/// What is wrong where a backup is, the first of which is `first`. The catalogue has a report, and is no
/// backup.
std::string damage_text(const std::vector<VerifyReport>& reports, const VerifyReport& first) {
  std::ptrdiff_t backups = 0;
  std::ptrdiff_t damaged = 0;
  bool is_catalogue_right = true;
  for (const VerifyReport& report : reports) {
    if (report.id == backups::catalogue_report_id) {
      is_catalogue_right = false;
      continue;
    }
    ++backups;
    if (!report.ok()) ++damaged;
  }
  const std::string what =
      backups == 1
          ? fmt::format("backup {} is damaged: {}", first.id, first.problems.front())
          : fmt::format("{} of {} backups {} damaged", damaged, backups, damaged == 1 ? "is" : "are");
  return is_catalogue_right ? what : what + ", and the catalogue is not what it should be";
}

void require_sound(const std::vector<VerifyReport>& reports, const Repository& repository) {
  const auto wrong = std::ranges::find_if_not(reports, &VerifyReport::ok);
  if (wrong == reports.end()) return;
  const VerifyReport& first = *wrong;
  const std::string folder = repository.path().string();
  if (first.id == backups::catalogue_report_id) {
    throw IntegrityError(
        first.problems.front(),
        fmt::format("The backups are sound. If you know why, this makes the catalogue say what is there: "
                    "nerve-db backup repair --repo {}. If not, look for who changed the repository.",
                    shell_word(folder)));
  }
  const std::string message = damage_text(reports, first);
  if (first.is_unauthenticated) {
    throw IntegrityError(
        message,
        fmt::format(
            "Look who may write to the repository, and move what is not yours out of it. What an older "
            "nerve-db has encrypted counts after: nerve-db backup repair --authenticate --repo {}.",
            shell_word(folder)));
  }
  // Of a manifest that cannot be trusted it is not known whose backup it is.
  const std::string database = first.source.empty() ? std::string() : " --db " + shell_word(first.source);
  const std::string copies = backups::hint_of_copies(repository.path(), repository.witness_folder());
  throw IntegrityError(
      message,
      fmt::format("Make a new full now: nerve-db backup --full --repo {}{}. Then look for what changed the "
                  "files in the repository.{}{}",
                  shell_word(folder), database, copies.empty() ? "" : " ", copies));
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

int run_verify(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const bool all = arguments.has("--all");
  if (all && arguments.has("ID")) {
    throw ValidationError("an ID and --all are both given", "Give one of them.");
  }
  const KeyedRepository keyed =
      open_with_needed_key(context, arguments, all ? std::nullopt : database_meant(context, arguments));
  const Repository& repository = keyed.repository;
  std::vector<Manifest> meant;
  if (!all) meant.push_back(manifest_from(context, arguments, repository));
  backups::VerifyOptions options;
  options.deep = arguments.has("--deep");
  options.key = keyed.key.get();
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

}  // namespace

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
      .options =
          with_key_options({repository_option(),
                            whose_option("database that latest is about"),
                            {.name = "--all", .description = "every backup of the repository"},
                            {.name = "--deep", .description = "also look into the database"},
                            {.name = "--scratch",
                             .value_name = "DIR",
                             .type = ArgumentType::folder,
                             .description = "where --deep restores to (default: the repository; encrypted\n"
                                            "backups need one)"}}),
      .exit_codes = "6 when a backup is damaged; otherwise as 'nerve-db --help' lists them",
      .example = "nerve-db backup verify latest --deep --db chinook.sqlite",
      .run = &run_verify};
}

}  // namespace nerve::cli
