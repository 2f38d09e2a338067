// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/manifest.h"

#include "support/process.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace {

using nerve::backups::Manifest;
using nerve::backups::manifest_text;
using nerve::backups::parse_manifest;

Manifest example() {
  Manifest manifest;
  manifest.id = nerve::backups::BackupId::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  manifest.created_at = nerve::Timestamp::parse("2026-01-02T03:04:05.678901Z");
  manifest.program_version = "0.1.0";
  manifest.source = {"/srv/größe \"x\".db", 8192, "wal", "0640"};
  manifest.is_emptied = true;
  manifest.sqlite = {"3.40.1", 4096, 2, 7, -1, "UTF-8", std::string(64, 'a')};
  manifest.file = {"database.sqlite", 8192, std::string(64, 'b')};
  manifest.tables = {{"events", 5}, {"users", 9'007'199'254'740'993}};
  manifest.checks = {"quick_check", "integrity_check", 3};
  manifest.duration_ms = 12;
  return manifest;
}

/// As coreutils compute it.
std::string sha256sum(const std::string& text) {
  nerve::test::ProcessOptions options;
  options.stdin_text = text;
  const auto result = nerve::test::run_process({"sha256sum"}, options);
  REQUIRE(result.exit_code == 0);
  return result.out.substr(0, 64);
}

/// The text with one piece of it replaced.
std::string altered(const std::string& text, const std::string& piece, const std::string& by) {
  const std::size_t place = text.find(piece);
  REQUIRE(place != std::string::npos);
  return std::string(text).replace(place, piece.size(), by);
}

}  // namespace

TEST_CASE("a manifest that is written and read again is the same") {
  const Manifest manifest = example();
  const Manifest again = parse_manifest(manifest_text(manifest), "manifest.json");
  CHECK(again.to_json() == manifest.to_json());
  CHECK(again.tables.at(1).rows == 9'007'199'254'740'993);
  CHECK(again.source.path == "/srv/größe \"x\".db");
}

TEST_CASE(
    "the hash of a manifest is the SHA-256 of its canonical text without that field, as sha256sum computes "
    "it") {
  nerve::Json json = nerve::Json::parse(manifest_text(example()));
  const std::string hash = json.at("manifest_sha256").get<std::string>();
  json.erase("manifest_sha256");
  CHECK(sha256sum(json.dump()) == hash);
}

TEST_CASE("a manifest in which one character was changed is refused") {
  const std::string text = manifest_text(example());
  CHECK_THROWS_AS(parse_manifest(altered(text, "\"rows\": 5", "\"rows\": 6"), "m"), nerve::IntegrityError);
  CHECK_THROWS_AS(parse_manifest(altered(text, "good", "goof"), "m"), nerve::IntegrityError);
  CHECK_THROWS_AS(parse_manifest(altered(text, "manual", "safety"), "m"), nerve::IntegrityError);
  CHECK_THROWS_AS(parse_manifest(altered(text, "\"manifest_sha256\"", "\"manifest_sha257\""), "m"),
                  nerve::IntegrityError);
}

TEST_CASE("a manifest cut off at any byte is refused") {
  const std::string text = manifest_text(example());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(parse_manifest(text.substr(0, length), "m"), nerve::IntegrityError);
  }
}

TEST_CASE("a manifest of a later format is refused as unsupported, not as damaged") {
  const std::string text = manifest_text(example());
  CHECK_THROWS_AS(parse_manifest(altered(text, "\"format\": 1", "\"format\": 3"), "m"),
                  nerve::UnsupportedError);
}

TEST_CASE("a manifest keeps its validity when a later version adds a field") {
  nerve::Json json = example().to_json();
  json["added_later"] = {{"a", 1}};
  json["manifest_sha256"] = sha256sum(json.dump());
  CHECK(parse_manifest(json.dump(), "m").to_json() == example().to_json());
}

TEST_CASE("a manifest without the fields that came later is read, with nothing made up for them") {
  nerve::Json json = example().to_json();
  json.erase("emptied");
  json["source"].erase("mode");
  json["manifest_sha256"] = sha256sum(json.dump());
  const Manifest manifest = parse_manifest(json.dump(), "m");
  CHECK_FALSE(manifest.is_emptied);
  CHECK(manifest.source.mode.empty());
}

TEST_CASE("a manifest cannot name a file outside its folder") {
  nerve::Json json = example().to_json();
  json["file"]["name"] = "../../etc/passwd";
  json["manifest_sha256"] = sha256sum(json.dump());
  CHECK_THROWS_AS(parse_manifest(json.dump(), "m"), nerve::IntegrityError);
}
