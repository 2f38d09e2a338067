// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/state_file.h"

#include "../core/replace_file.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

namespace nerve::health {

namespace {

constexpr int version = 1;

/// JSON holds UTF-8 only.
std::string key_of(std::string_view target) {
  return is_valid_utf8(target) ? std::string(target) : sanitize_for_terminal(target);
}

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw ValidationError(file.string() + " is not a state file of this version",
                        "Move the file away, or name another one with health.state_file.");
}

/// The targets in the file; none where there is no file.
Json read_targets(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return Json::object();
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (!error && size == 0) return Json::object();  // a power failure came before its bytes reached the disk
  if (error || size > StateFile::size_max) refuse(file);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw DeniedError("cannot read the state file " + file.string(),
                      "Let the user who runs health read it, or name another one with health.state_file.");
  }
  std::ostringstream text;
  text << stream.rdbuf();
  const Json document = Json::parse(text.str(), nullptr, false);
  if (!document.is_object() || document.value("nerve_health_state", Json()) != version ||
      !document.contains("targets") || !document.at("targets").is_object()) {
    refuse(file);
  }
  return document.at("targets");
}

SeenSize seen_from(const Json& entry, const std::filesystem::path& file) {
  if (!entry.is_object() || !entry.contains("size_bytes") || !entry.at("size_bytes").is_number_unsigned() ||
      !entry.contains("seen_at") || !entry.at("seen_at").is_string()) {
    refuse(file);
  }
  return {entry.at("size_bytes").get<std::uint64_t>(),
          Timestamp::parse(entry.at("seen_at").get<std::string>())};
}

void drop_oldest(Json& targets) {
  while (targets.size() > StateFile::targets_max) {
    const auto seen_at = [](const Json& entry) { return entry.value("seen_at", std::string()); };
    auto oldest = targets.begin();
    for (auto entry = targets.begin(); entry != targets.end(); ++entry) {
      if (seen_at(*entry) < seen_at(*oldest)) oldest = entry;
    }
    targets.erase(oldest);
  }
}

}  // namespace

std::optional<SeenSize> StateFile::find(std::string_view target) const {
  const Json targets = read_targets(file_);
  const auto found = targets.find(key_of(target));
  if (found == targets.end()) return std::nullopt;
  return seen_from(*found, file_);
}

void StateFile::keep(std::string_view target, const SeenSize& seen) const {
  Json targets = read_targets(file_);
  targets[key_of(target)] = {{"size_bytes", seen.size_bytes}, {"seen_at", seen.seen_at.to_text()}};
  drop_oldest(targets);
  const Json document = {{"nerve_health_state", version}, {"targets", std::move(targets)}};
  replace_file(file_, document.dump(2) + "\n", "Name another file with health.state_file.");
}

}  // namespace nerve::health
