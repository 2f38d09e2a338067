// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/schedule.h"

#include "durable_file.h"
#include "full_age.h"
#include "layout.h"
#include "partial_backup.h"
#include "repository_file.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"
#include "nerve/core/update_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <system_error>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::int64_t schedule_format = 1;
constexpr std::size_t schedule_bytes_max = std::size_t{1} << 20;
constexpr std::array starters = {Starter::user_timer, Starter::system_timer, Starter::cron};

std::filesystem::path schedule_path(const Repository& repository) {
  return repository.path() / schedule_file_name;
}

IntegrityError damaged(const std::filesystem::path& path, std::string_view what) {
  return IntegrityError(
      fmt::format("{} is damaged: {}", path.string(), what),
      fmt::format("Remove it, and give the promises again: rm {}; nerve-db backup schedule --every …",
                  shell_word(path.string())));
}

std::chrono::seconds span_of(const Json& value) {
  const std::chrono::seconds span(value.get<std::int64_t>());
  // The end of a promise must be a Timestamp still.
  if (span.count() <= 0 || span > duration_max) throw ValidationError("an interval is out of range");
  return span;
}

Promise promise_from(const Json& json) {
  Promise promise;
  promise.database = json.at("database").get<std::string>();
  promise.interval = span_of(json.at("interval_s"));
  if (!json.at("full_interval_s").is_null()) promise.full_interval = span_of(json.at("full_interval_s"));
  promise.since = Timestamp::parse(json.at("since").get<std::string>());
  promise.unit = json.at("unit").get<std::string>();
  const auto starter = json.at("starter").get<std::string>();
  const auto* found = std::ranges::find(starters, starter, [](Starter one) { return to_string(one); });
  if (found == starters.end()) throw ValidationError("a starter is not known");
  promise.starter = *found;
  return promise;
}

Json json_of(const Promise& promise) {
  return {{"database", promise.database},
          {"interval_s", promise.interval.count()},
          {"full_interval_s", promise.full_interval ? Json(promise.full_interval->count()) : Json(nullptr)},
          {"since", promise.since.to_text()},
          {"starter", to_string(promise.starter)},
          {"unit", promise.unit}};
}

std::vector<Promise> parse_promises(std::string_view text, const std::filesystem::path& path) {
  try {
    const Json document = parse_json(text, path.string());
    const auto format = document.at("format").get<std::int64_t>();
    if (format != schedule_format) {
      throw UnsupportedError(fmt::format("{} has format {}, and this program knows format {}", path.string(),
                                         format, schedule_format),
                             "Use the version of nerve-db that wrote it, or a newer one.");
    }
    std::vector<Promise> promises;
    for (const Json& one : document.at("promises")) promises.push_back(promise_from(one));
    return promises;
  } catch (const ValidationError& error) {
    throw damaged(path, error.what());
  } catch (const nlohmann::json::exception&) {
    throw damaged(path, "a field is missing or of another type");
  }
}

std::string text_of(const std::vector<Promise>& promises) {
  Json list = Json::array();
  for (const Promise& one : promises) list.push_back(json_of(one));
  return Json{{"format", schedule_format}, {"promises", std::move(list)}}.dump(2) + "\n";
}

void change_promises(const Repository& repository, const std::function<void(std::vector<Promise>&)>& change) {
  const std::filesystem::path path = schedule_path(repository);
  const FileUpdate options{.size_bytes_max = schedule_bytes_max,
                           .hint = "Run it as a user who may write to the repository."};
  // A FIFO in its place would keep the reader waiting.
  std::error_code error;
  if (std::filesystem::exists(path, error)) repository_file_bytes(path);
  update_file(path, options, [&](const std::optional<std::string>& before) {
    std::vector<Promise> promises;
    if (before) promises = parse_promises(*before, path);
    change(promises);
    return text_of(promises);
  });
}

bool is_same(const Promise& one, const Promise& other) {
  return one.interval == other.interval && one.full_interval == other.full_interval &&
         one.starter == other.starter && one.unit == other.unit;
}

/// From when the next backup is waited for: the newest one, or the promise where that is younger. After the
/// clock was set back a promise from the future is no measure.
Timestamp begin_of_wait(const Promise& promise, const std::optional<Manifest>& newest, Timestamp now) {
  if (!newest) return promise.since;
  return promise.since <= now ? std::max(promise.since, newest->created_at) : newest->created_at;
}

}  // namespace

std::string_view to_string(Starter starter) noexcept {
  switch (starter) {
    case Starter::user_timer:
      return "user_timer";
    case Starter::system_timer:
      return "system_timer";
    case Starter::cron:
      return "cron";
  }
  return "cron";
}

std::optional<Promise> promise_of(const Repository& repository, const std::filesystem::path& database) {
  const std::filesystem::path path = schedule_path(repository);
  std::vector<Promise> promises;
  try {
    promises = parse_promises(read_small_file(path, schedule_bytes_max), path);
  } catch (const NotFoundError&) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(promises, source_name(database), &Promise::database);
  if (found == promises.end()) return std::nullopt;
  return *found;
}

void record_promise(const Repository& repository, const Promise& promise) {
  const RepositoryLock lock = RepositoryLock::for_writing(repository);
  change_promises(repository, [&](std::vector<Promise>& promises) {
    const auto found = std::ranges::find(promises, promise.database, &Promise::database);
    if (found == promises.end()) {
      promises.push_back(promise);
    } else if (!is_same(*found, promise)) {
      *found = promise;
    }
  });
}

bool withdraw_promise(const Repository& repository, const std::filesystem::path& database) {
  if (!promise_of(repository, database)) return false;
  const RepositoryLock lock = RepositoryLock::shared(repository);
  std::size_t removed = 0;
  change_promises(repository, [&](std::vector<Promise>& promises) {
    removed =
        std::erase_if(promises, [&](const Promise& one) { return one.database == source_name(database); });
  });
  return removed > 0;
}

PromiseState state_of(const Promise& promise, std::span<const Entry> entries, const Clock& clock) {
  PromiseState state;
  for (const Entry& entry : entries) {
    const bool is_meant =
        entry.manifest && entry.manifest->source.path == promise.database && entry.manifest->is_asked_for();
    if (is_meant && (!state.newest || entry.manifest->sequence >= state.newest->sequence)) {
      state.newest = entry.manifest;
    }
  }
  const Timestamp begin = begin_of_wait(promise, state.newest, clock.now());
  state.age = std::chrono::abs(clock.now() - begin);
  state.next_due = begin + promise.interval;
  if (state.age > broken_after * promise.interval) {
    state.keeping = Keeping::broken;
  } else if (state.age > late_after * promise.interval) {
    state.keeping = Keeping::late;
  }
  if (promise.full_interval) {
    const std::optional<Manifest> full = newest_full(entries, promise.database);
    state.full_due = full ? full->created_at + *promise.full_interval : state.next_due;
  }
  return state;
}

}  // namespace nerve::backups
