// SPDX-License-Identifier: Apache-2.0
#include "backup_metrics.h"

#include "context.h"

#include "nerve/arguments.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/schedule.h"
#include "nerve/core/clock.h"
#include "nerve/core/prometheus.h"
#include "nerve/core/update_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

namespace {

using backups::Manifest;
using backups::Repository;

/// In the order of the file.
enum class Measure : std::uint8_t {
  last_run,
  last_run_ok,
  last_exit_code,
  last_success,
  duration,
  database_size,
  stored_size,
  stored_pages,
  rows,
  backups_of_form,
  repository_size,
  next_promised,
};

/// A metric, and whether a run that fails leaves the sample of the last success.
struct Metric {
  Measure measure;
  std::string_view name;
  std::string_view help;
  bool is_of_success = false;
};

constexpr std::array backup_metrics = {
    Metric{Measure::last_run, "nerve_backup_last_run_timestamp_seconds", "When the last run began."},
    Metric{Measure::last_run_ok, "nerve_backup_last_run_ok", "Whether the last run succeeded: 1 or 0."},
    Metric{Measure::last_exit_code, "nerve_backup_last_run_exit_code", "Exit code of the last run."},
    Metric{Measure::last_success, "nerve_backup_last_success_timestamp_seconds",
           "When the last good backup was begun.", true},
    Metric{Measure::duration, "nerve_backup_duration_seconds", "How long the last good backup took.", true},
    Metric{Measure::database_size, "nerve_backup_database_bytes",
           "Size of the database in the last good backup.", true},
    Metric{Measure::stored_size, "nerve_backup_stored_bytes", "Size of the last good backup.", true},
    Metric{Measure::stored_pages, "nerve_backup_stored_pages",
           "Pages that the last good backup holds itself.", true},
    Metric{Measure::rows, "nerve_backup_rows", "Rows in the last good backup, where they were counted.",
           true},
    Metric{Measure::backups_of_form, "nerve_backup_backups",
           "Backups of the database in its repository, by form."},
    Metric{Measure::repository_size, "nerve_backup_repository_bytes",
           "Size of the backups of the database in its repository."},
    Metric{Measure::next_promised, "nerve_backup_next_promised_timestamp_seconds",
           "When the next backup is promised."},
};

struct Sample {
  Measure measure;
  std::string labels;  ///< after those of the database: `,form="full"`
  std::string value;
};

/// A database whose samples are renewed.
struct Subject {
  std::filesystem::path database;
  std::string label;                 ///< its value of the label `database`, in quotes
  std::string labels;                ///< that label, and which store it is: `database="/x.db",store="core"`
  std::optional<Manifest> manifest;  ///< the good backup that the run made of it

  bool has(std::string_view labels_of_line) const {
    return labels_of_line.starts_with("{database=" + label + ",") ||
           labels_of_line.starts_with("{database=" + label + "}");
  }
};

Subject subject_of(const std::filesystem::path& database, const std::string& store,
                   const std::optional<Manifest>& manifest) {
  const std::string label = prometheus_label(backups::source_name(database));
  Subject subject{database, label, "database=" + label, std::nullopt};
  if (!store.empty()) subject.labels += ",store=" + prometheus_label(store);
  if (manifest && !manifest->is_emptied) subject.manifest = manifest;
  return subject;
}

std::vector<Subject> subjects_of(const BackupOccasion& occasion) {
  if (occasion.stores.empty()) return {subject_of(occasion.database, {}, occasion.manifest)};
  std::vector<Subject> subjects;
  for (const StoreOccasion& one : occasion.stores)
    subjects.push_back(subject_of(one.database, one.store, one.manifest));
  return subjects;
}

double seconds_of(Timestamp time) {
  constexpr double microseconds_a_second = 1e6;
  return static_cast<double>(time.microseconds()) / microseconds_a_second;
}

std::string sample_value(double value) {
  return fmt::format("{:.3f}", value);
}

void add_run(const BackupOccasion& occasion, std::vector<Sample>& samples) {
  samples.push_back({Measure::last_run, {}, sample_value(seconds_of(occasion.begun_at))});
  samples.push_back({Measure::last_run_ok, {}, occasion.is_good() ? "1" : "0"});
  samples.push_back({Measure::last_exit_code, {}, std::to_string(occasion.exit_code)});
}

void add_success(const Manifest& manifest, std::vector<Sample>& samples) {
  samples.push_back({Measure::last_success, {}, sample_value(seconds_of(manifest.created_at))});
  samples.push_back(
      {Measure::duration,
       {},
       sample_value(std::chrono::duration<double>(std::chrono::milliseconds(manifest.duration_ms)).count())});
  samples.push_back({Measure::database_size, {}, std::to_string(manifest.database_bytes())});
  samples.push_back({Measure::stored_size, {}, std::to_string(manifest.file.size_bytes)});
  samples.push_back(
      {Measure::stored_pages,
       {},
       std::to_string(manifest.container ? manifest.container->stored_pages : manifest.sqlite.page_count)});
  if (const auto rows = manifest.rows_total()) samples.push_back({Measure::rows, {}, std::to_string(*rows)});
}

std::string_view stored_form(const Manifest& manifest) {
  if (!manifest.container) return "plain";
  return manifest.container->parent ? "delta" : "full";
}

void add_repository(const std::filesystem::path& folder, const std::filesystem::path& database,
                    std::vector<Sample>& samples) {
  const Repository repository = Repository::open(folder);
  const std::string source = backups::source_name(database);
  const std::vector<backups::Entry> entries = repository.list();
  std::map<std::string_view, std::size_t> counts = {{"delta", 0}, {"full", 0}, {"plain", 0}};
  std::uint64_t size_bytes = 0;
  for (const backups::Entry& entry : entries) {
    if (!entry.manifest || entry.manifest->source.path != source) continue;
    ++counts[stored_form(*entry.manifest)];
    size_bytes += entry.manifest->file.size_bytes;
  }
  for (const auto& [form, count] : counts) {
    samples.push_back({Measure::backups_of_form, fmt::format(",form=\"{}\"", form), std::to_string(count)});
  }
  samples.push_back({Measure::repository_size, {}, std::to_string(size_bytes)});
  if (const auto promise = backups::promise_of(repository, database)) {
    const auto state = backups::state_of(*promise, entries, system_clock());
    samples.push_back({Measure::next_promised, {}, sample_value(seconds_of(state.next_due))});
  }
}

std::vector<Sample> samples_of(const BackupOccasion& occasion, const Subject& subject) {
  std::vector<Sample> samples;
  add_run(occasion, samples);
  if (subject.manifest) add_success(*subject.manifest, samples);
  try {
    add_repository(occasion.repository, subject.database, samples);
  } catch (const Error&) {
    // The run that failed says it: a repository that cannot be read has nothing to be counted.
    return samples;
  }
  return samples;
}

const Metric* metric_of(std::string_view line) {
  const std::string_view name = line.substr(0, line.find('{'));
  const auto* found = std::ranges::find(backup_metrics, name, &Metric::name);
  return found == backup_metrics.end() ? nullptr : found;
}

/// The lines of an earlier file, by metric, without those that are to be renewed.
std::map<Measure, std::string> kept_lines(std::string_view text, const std::vector<Subject>& subjects,
                                          const std::filesystem::path& file) {
  std::map<Measure, std::string> kept;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    const Metric* metric = metric_of(line);
    if (metric == nullptr) {
      throw ConflictError(fmt::format("{} holds other metrics than those of backups", file.string()),
                          "Name a file of its own with --metrics or backup.metrics_file.");
    }
    const std::string_view labels = line.substr(metric->name.size());
    const auto ours = std::ranges::find_if(subjects, [&](const Subject& one) { return one.has(labels); });
    if (ours != subjects.end() && (ours->manifest || !metric->is_of_success)) continue;
    kept[metric->measure] += std::string(line) + "\n";
  }
  return kept;
}

std::string renewed(const std::optional<std::string>& before, const BackupOccasion& occasion,
                    const std::filesystem::path& file) {
  const std::vector<Subject> subjects = subjects_of(occasion);
  std::map<Measure, std::string> lines = kept_lines(before ? *before : std::string_view(), subjects, file);
  for (const Subject& subject : subjects) {
    for (const Sample& sample : samples_of(occasion, subject)) {
      const auto* metric = std::ranges::find(backup_metrics, sample.measure, &Metric::measure);
      lines[sample.measure] +=
          fmt::format("{}{{{}{}}} {}\n", metric->name, subject.labels, sample.labels, sample.value);
    }
  }
  std::string text;
  for (const Metric& metric : backup_metrics) {
    const auto found = lines.find(metric.measure);
    if (found != lines.end()) text += prometheus_heading(metric.name, metric.help) + found->second;
  }
  return text;
}

}  // namespace

Argument metrics_option() {
  return {.name = "--metrics",
          .value_name = "FILE",
          .type = ArgumentType::file,
          .description = "renew this file for Prometheus after each run (default: backup.metrics_file)"};
}

std::filesystem::path metrics_file(Context& context, const Arguments& arguments) {
  if (const auto file = arguments.text("--metrics")) return *file;
  return context.settings_for_copying().path("backup.metrics_file");
}

bool write_metrics(Output& output, const std::filesystem::path& file, const BackupOccasion& occasion) {
  const FileUpdate options{.mode = 0644,
                           .hint = "Make its folder writable for this user, or name another file."};
  try {
    update_file(file, options,
                [&](const std::optional<std::string>& before) { return renewed(before, occasion, file); });
    return true;
  } catch (const Error& error) {
    output.warning(fmt::format("the metrics are not written: {}", error.what()));
    return false;
  }
}

}  // namespace nerve::cli
