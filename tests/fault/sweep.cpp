// SPDX-License-Identifier: Apache-2.0
#include "fault/sweep.h"

#include "fault/preload.h"
#include "support/effort.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace nerve::test {
namespace {

using Command = std::vector<std::string>;

const std::vector<std::string> kinds = {"kill", "torn", "short", "EIO", "ENOSPC", "full"};

/// A call of a run without faults.
struct Call {
  long number = 0;  ///< from 1
  std::string operation;
  std::string file;  ///< its name; what is different in each run is left out

  std::string name() const { return operation + " " + file; }
  bool is_write() const { return operation.ends_with("write"); }
};

/// For SweepExtent::every_kind_of_call.
constexpr std::size_t kills_max = 8;
/// For flip_writes().
constexpr std::size_t flips_max = 8;
/// For SweepExtent::every_line_of_catalogue.
constexpr std::string_view catalogue_file = "catalogue.jsonl";

struct Fault {
  std::string kind;
  const Call* call;
};

/// A database of a scene, or its -wal, -journal or -shm.
bool is_of_sqlite(const std::string& file) {
  return file.ends_with(".db") || file.find(".db-") != std::string::npos;
}

std::string name_in_every_run(const std::string& path) {
  static const std::regex id("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  static const std::regex process("-[0-9]+$");
  const std::filesystem::path whole(path);
  const bool is_unnamed = path.ends_with(" (deleted)");
  const std::string name = (is_unnamed ? whole.parent_path() : whole).filename().string();
  const std::string same = std::regex_replace(std::regex_replace(name, id, "ID"), process, "-PROCESS");
  return is_unnamed ? "unnamed file in " + same : same;
}

std::vector<Call> calls_of(const Command& command) {
  const TempFolder folder;
  ProcessOptions options = preloaded();
  options.env["NERVE_FAULT_LOG"] = folder / "log";
  const ProcessResult result = run_process(command, options);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  std::vector<Call> calls;
  std::ifstream log(folder / "log");
  for (std::string line; std::getline(log, line);) {
    std::istringstream words(line);
    Call call;
    words >> call.number >> call.operation >> std::ws;
    std::getline(words, call.file);
    call.file = name_in_every_run(call.file);
    calls.push_back(std::move(call));
  }
  std::ranges::sort(calls, {}, &Call::number);
  return calls;
}

/// Half a call is possible of a write only; of others it is the whole call or none.
bool can_meet(const Call& call, const std::string& kind) {
  return call.is_write() || (kind != "torn" && kind != "short");
}

/// How many of `count` calls of one name meet a kind of fault.
std::size_t count_of(const std::vector<const Call*>& alike, const std::string& kind, SweepExtent extent) {
  switch (extent) {
    case SweepExtent::every_call:
      return alike.size();
    case SweepExtent::every_kind_of_call:
      return kind == "kill" ? std::min(alike.size(), kills_max) : 1;
    case SweepExtent::every_line_of_catalogue:
      return alike.front()->file == catalogue_file && (kind == "kill" || kind == "EIO") ? alike.size() : 1;
  }
  return 1;
}

/// Which of the calls of one name meet the kind of fault that stands at `kind` in the list.
std::vector<std::size_t> places_among(const std::vector<const Call*>& alike, std::size_t kind,
                                      SweepExtent extent) {
  const std::size_t last = alike.size() - 1;
  const std::size_t chosen = count_of(alike, kinds[kind], extent);
  if (chosen == 1) return {kind * last / (kinds.size() - 1)};
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < chosen; ++place) places.push_back(place * last / (chosen - 1));
  return places;
}

std::vector<Fault> faults_for(const std::vector<Call>& calls, SweepExtent extent) {
  std::vector<Fault> faults;
  std::map<std::string, std::vector<const Call*>> by_name;
  for (const Call& call : calls) by_name[call.name()].push_back(&call);
  for (const auto& [name, alike] : by_name) {
    for (std::size_t place = 0; place < kinds.size(); ++place) {
      const std::string& kind = kinds[place];
      if (!can_meet(*alike.front(), kind)) continue;
      for (const std::size_t index : places_among(alike, place, extent)) {
        faults.push_back({kind, alike[index]});
      }
    }
  }
  return faults;
}

/// How many faults the calls of each name meet at least, all of different kinds or places.
std::size_t faults_of_name_min() {
  return scaled<std::size_t>(2, 4);
}

/// Those that are tried. Outside of a long run calls of each name meet two, of other kinds with each name.
std::vector<Fault> tried_of(const std::vector<Fault>& faults) {
  if (is_long_run()) return faults;
  std::vector<Fault> tried;
  std::size_t turn = 0;
  for (auto of_name = faults.begin(); of_name != faults.end(); ++turn) {
    const auto next_name = std::find_if(of_name, faults.end(), [&](const Fault& fault) {
      return fault.call->name() != of_name->call->name();
    });
    const auto count = static_cast<std::size_t>(next_name - of_name);
    for (std::size_t i = 0; i < faults_of_name_min(); ++i) {
      tried.push_back(*(of_name + static_cast<std::ptrdiff_t>((turn + i * count / 2) % count)));
    }
    of_name = next_name;
  }
  return tried;
}

ProcessResult run_with_fault(const Command& command, const Fault& fault) {
  ProcessOptions options = preloaded();
  options.env["NERVE_FAULT_AT"] = std::to_string(fault.call->number);
  options.env["NERVE_FAULT_KIND"] = fault.kind;
  return run_process(command, options);
}

/// The calls of each name, and how many faults met them.
std::string describe(const std::vector<Call>& calls, const std::vector<Fault>& faults) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> counts;
  for (const Call& call : calls) ++counts[call.name()].first;
  for (const Fault& fault : faults) ++counts[fault.call->name()].second;
  std::string text;
  for (const auto& [name, count] : counts) {
    CHECK(count.second >= faults_of_name_min());
    text += "\n  " + name + ": " + std::to_string(count.first) + " calls, " + std::to_string(count.second) +
            " faults";
  }
  return text;
}

}  // namespace

void sweep(const Scene& scene, const Command& command, SweepExtent extent, const SweepChecks& checks) {
  scene.reset();
  const std::vector<Call> calls = calls_of(command);
  CHECK(calls.size() > 20);
  const std::vector<Fault> faults = tried_of(faults_for(calls, extent));
  std::size_t aborted = 0;
  for (const Fault& fault : faults) {
    CAPTURE(fault.kind);
    CAPTURE(fault.call->number);
    CAPTURE(fault.call->name());
    scene.reset();
    const ProcessResult result = run_with_fault(command, fault);
    CAPTURE(result.err);
    CHECK((result.exit_code == 0 || result.exit_code == 1 || result.signal == SIGKILL));
    if (fault.kind == "kill" || fault.kind == "torn") CHECK(result.signal == SIGKILL);
    if (fault.kind == "short") CHECK(result.exit_code == 0);
    if (result.exit_code != 0) ++aborted;
    checks.after_fault(result, fault.kind);
    const ProcessResult again = run_process(command, preloaded());
    CAPTURE(again.err);
    CHECK(again.exit_code == 0);
    checks.after_next_run(again);
  }
  MESSAGE(calls.size(), " calls, ", faults.size(), " faults, ", aborted, " runs cut off",
          describe(calls, faults));
  CHECK(aborted > faults.size() / 2);
}

void lie_about(const Scene& scene, const Command& command, const std::string& operation,
               const std::function<void(const ProcessResult&)>& look) {
  scene.reset();
  for (const Call& call : calls_of(command)) {
    if (call.operation != operation) continue;
    CAPTURE(call.name());
    scene.reset();
    const ProcessResult result = run_with_fault(command, {"lie", &call});
    CAPTURE(result.err);
    look(result);
  }
}

void flip_writes(const Scene& scene, const Command& command,
                 const std::function<void(const ProcessResult&, const std::string& file)>& look) {
  scene.reset();
  const std::vector<Call> calls = calls_of(command);
  std::map<std::string, std::vector<const Call*>> by_file;
  for (const Call& call : calls) {
    if (call.is_write() && !is_of_sqlite(call.file)) by_file[call.file].push_back(&call);
  }
  CHECK(by_file.size() > 2);
  for (const auto& [file, alike] : by_file) {
    const std::size_t flips = std::min(alike.size(), scaled(flips_max, alike.size()));
    for (std::size_t flip = 0; flip < flips; ++flip) {
      const Call& call = *alike[flips == 1 ? 0 : flip * (alike.size() - 1) / (flips - 1)];
      CAPTURE(call.number);
      CAPTURE(call.name());
      scene.reset();
      const ProcessResult result = run_with_fault(command, {"flip", &call});
      CAPTURE(result.err);
      CHECK((result.exit_code == 0 || result.exit_code == 1));
      look(result, file);
    }
  }
}

void sweep_restore(const FaultScene& scene, SweepExtent extent) {
  const std::size_t backups_before = scene.whole_backups();
  sweep(scene, scene.restore_command(), extent,
        {[&](const ProcessResult& result, const std::string&) {
           const std::string content = scene.content_now();
           const bool is_new = content == scene.content_of_backup();
           CHECK((is_new || content == scene.content_before()));
           if (result.exit_code == 0) CHECK(is_new);
           scene.whole_backups();
         },
         [&](const ProcessResult&) {
           CHECK(scene.content_now() == scene.content_of_backup());
           CHECK(scene.whole_backups() > backups_before);
           CHECK(scene.is_tidy());
         }});
}

}  // namespace nerve::test
