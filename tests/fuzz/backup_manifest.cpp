// SPDX-License-Identifier: Apache-2.0
// Manifests under their own right hash, and under a right code where they name a key. An input is a manifest,
// or a JSON merge patch (RFC 7396) to a sound one: small, and seldom broken by a change.
#include "authentication.h"
#include "fuzz/bounded_call.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/sample_key.h"

#include "nerve/backups/manifest.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/crypto/hash.h"

#include <nlohmann/json.hpp>

#include <optional>

namespace nerve::fuzz {
namespace {

using backups::Manifest;

constexpr std::size_t memory_bytes_max = std::size_t{4} << 20U;
constexpr std::string_view id = "01890a5d-ac96-774b-bcce-b302099a8057";
constexpr std::string_view other_id = "01890a5d-ac96-774b-bcce-b302099a8058";

Json sound_manifest() {
  const std::string sha256(64, 'a');
  return {{"format", 2},
          {"id", id},
          {"created_at", "2026-05-01T08:00:00.000000Z"},
          {"program_version", "0.1.0"},
          {"state", "good"},
          {"kind", "manual"},
          {"sequence", 7},
          {"has_rows", true},
          {"emptied", false},
          {"source",
           {{"path", "/srv/app.db"},
            {"size_bytes", 20480},
            {"journal_mode", "wal"},
            {"mode", "0640"},
            {"file", {{"inode", 77}, {"born_at_ns", 1'777'000'000'000'000'000}}}}},
          {"sqlite",
           {{"library_version", "3.40.1"},
            {"page_size_bytes", 4096},
            {"page_count", 5},
            {"user_version", 0},
            {"application_id", 0},
            {"encoding", "UTF-8"},
            {"schema_sha256", sha256}}},
          {"file", {{"name", "pages.sealed"}, {"size_bytes", 4096}}},
          {"companions", Json::array()},
          {"tables", {{{"name", "users"}, {"rows", 3}}, {{"name", "events"}, {"rows", 4}}}},
          {"checks", {{"source", "quick_check"}, {"copy", "hashes"}, {"foreign_key_violations", 0}}},
          {"duration_ms", 12},
          {"container",
           {{"generation", other_id},
            {"parent", other_id},
            {"depth", 1},
            {"stored_pages", 2},
            {"encrypted", true}}},
          {"set", {{"id", other_id}, {"role", "core"}, {"roles", {"core", "secure"}}}},
          {"line", other_id},
          {"authentication", {{"key", sample_key_name()}, {"code", sha256}}}};
}

Json sound_plain_manifest() {
  Json json = sound_manifest();
  json["format"] = 1;
  for (const char* field : {"container", "set", "line", "authentication"}) json.erase(field);
  json["source"].erase("file");
  json["file"] = {{"name", "database.sqlite"}, {"size_bytes", 20480}, {"sha256", std::string(64, 'b')}};
  json["companions"] = {
      {{"name", "database.sqlite-wal"}, {"size_bytes", 32}, {"sha256", std::string(64, 'c')}}};
  return json;
}

std::string hash_of(const Json& json) {
  return to_hex(crypto::sha256(as_bytes(to_canonical_text(json))));
}

/// Makes the code right where it is one of the sample's key.
void repair_code(Json& manifest) {
  const auto found = manifest.find("authentication");
  if (found == manifest.end() || !found->is_object()) return;
  const Json key = found->value("key", Json());
  if (!key.is_string() || !found->contains("code") || !found->at("code").is_string()) return;
  Json without_code = manifest;
  without_code["authentication"].erase("code");
  backups::Keyring keyring(&sample_key());
  const auto code = backups::code_of(key.get<std::string>(), backups::Authenticated::manifest,
                                     hash_of(without_code), keyring);
  if (code) (*found)["code"] = *code;
}

/// The manifest that an input stands for; the input itself where it is no JSON.
std::string repaired(std::string_view input) {
  Json json;
  try {
    json = parse_json(input, "the input");
    if (!json.is_object()) return std::string(input);
    if (!json.contains("format")) {
      Json manifest = sound_manifest();
      manifest.merge_patch(json);
      json = std::move(manifest);
    }
    json.erase("manifest_sha256");
    repair_code(json);
    json["manifest_sha256"] = hash_of(json);
  } catch (const Error&) {
    return std::string(input);
  }
  return json.dump();
}

void check(const Manifest& manifest) {
  const Json json = manifest.to_json();
  const Manifest again = backups::parse_manifest(backups::manifest_text(manifest), "manifest.json");
  require(again.to_json() == json, "a manifest reads back as itself");
  require(again.content_sha256() == manifest.content_sha256(),
          "a manifest that was read back has the same code");
  const auto rows = manifest.rows_total();
  require(!rows || *rows >= 0, "rows are counted from zero");
  require(manifest.database_bytes() <= std::uint64_t{1} << 53U, "no database is larger than SQLite's can be");
  require(manifest.is_encrypted() == (manifest.container && manifest.container->is_encrypted),
          "what is encrypted says so");
  backups::Keyring keyring(&sample_key());
  backups::reason_to_doubt(manifest, keyring);
}

/// Whether the text is taken as a manifest.
bool read(const std::string& text) {
  std::optional<Manifest> manifest;
  bounded_call(memory_bytes_max, [&] { manifest = backups::parse_manifest(text, "manifest.json"); });
  if (!manifest) return false;
  require(bounded_call(memory_bytes_max, [&] { check(*manifest); }),
          "what was read can be written and read again");
  return true;
}

}  // namespace

std::vector<std::string> fuzz_corpus() {
  return {
      sound_manifest().dump(),
      sound_plain_manifest().dump(),
      R"({"sequence": 9007199254740992, "created_at": "2026-05-01T08:00:00+02:00"})",
      R"({"sqlite": {"page_count": 4294967294, "page_size_bytes": 65536, "user_version": -1}})",
      R"({"tables": [{"name": "a", "rows": 4611686018427387904}, {"name": "b", "rows": 1}]})",
      R"({"container": {"depth": 1000000, "parent": null, "consolidated_from": "01890a5d-ac96-774b-bcce-b302099a8057"}})",
      R"({"source": {"size_bytes": 9007199254740992, "path": "/\u00fc", "file": {"inode": 1, "born_at_ns": -1}}})",
      R"({"set": {"role": "x", "roles": []}, "line": "01890a5d-ac96-774b-bcce-b302099a8057", "duration_ms": -5})",
      R"({"authentication": {"key": "passphrase:17:8:1:00:00", "code": ""}, "future": [1, {"a": null}]})",
      R"({"authentication": null, "container": {"encrypted": false}, "file": {"name": "pages.zst"}})",
      R"({"checks": {"foreign_key_violations": 1e3}, "has_rows": false, "emptied": true, "state": "damaged"})",
  };
}

void fuzz_one(std::string_view input) {
  static const bool is_sound = read(repaired("{}")) && read(repaired(sound_plain_manifest().dump()));
  require(is_sound, "the samples are taken");
  read(repaired(input));
}

}  // namespace nerve::fuzz
