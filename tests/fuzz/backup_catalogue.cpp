// SPDX-License-Identifier: Apache-2.0
// Catalogues whose lines follow from one another, and have right codes where they name a key: they are read,
// added to and begun anew, by who has the key and by who has not.
#include "authentication.h"
#include "catalogue.h"
#include "fuzz/bounded_call.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/sample_key.h"
#include "fuzz/scratch_folder.h"
#include "layout.h"
#include "marker.h"

#include "nerve/backups/repository.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/crypto/hash.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve::fuzz {
namespace {

using backups::BackupId;
using backups::Catalogue;
using backups::CatalogueEvent;
using backups::CatalogueLine;
using backups::CatalogueWriter;
using backups::Expectation;
using backups::Repository;

constexpr std::size_t memory_bytes_max = std::size_t{8} << 20U;

Json line(std::string_view event, char id, int sequence) {
  return {{"at", "2026-05-01T08:00:00.000000Z"},
          {"created_at", "2026-05-01T08:00:00.000000Z"},
          {"event", event},
          {"id", std::string("01890a5d-ac96-774b-bcce-b302099a805") + id},
          {"manifest_sha256", std::string(64, 'a')},
          {"previous", ""},
          {"sequence", sequence},
          {"source", "/srv/app.db"}};
}

Json with_key(Json json) {
  json["key"] = sample_key_name();
  json["code"] = "";
  return json;
}

Json first_line(std::int64_t sequence, std::int64_t begun) {
  return {{"begun", begun}, {"catalogue", 1}, {"previous", ""}, {"sequence", sequence}};
}

std::string text_of(const std::vector<Json>& lines) {
  std::string text;
  for (const Json& one : lines) text += one.dump() + "\n";
  return text;
}

std::string hash_of(std::string_view text) {
  return to_hex(crypto::sha256(as_bytes(text)));
}

/// A line that follows from the one with the hash `previous`; as it is where it is no JSON object.
std::string repaired_line(std::string_view text, const std::string& previous) {
  try {
    Json json = parse_json(text, "a line");
    if (!json.is_object()) return std::string(text);
    if (json.contains("previous")) json["previous"] = previous;
    const Json key = json.value("key", Json());
    if (!key.is_string() || !json.contains("code")) return json.dump();
    json.erase("code");
    backups::Keyring keyring(&sample_key());
    const auto code = backups::code_of(key.get<std::string>(), backups::Authenticated::catalogue_line,
                                       hash_of(json.dump()), keyring);
    json["code"] = code.value_or("");
    return json.dump();
  } catch (const Error&) {
    return std::string(text);
  }
}

std::string repaired(std::string_view text) {
  std::string all;
  std::string previous;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string added = repaired_line(text.substr(0, end), previous);
    previous = hash_of(added);
    all += added + "\n";
    text.remove_prefix(end + 1);
  }
  return all + std::string(text);
}

Repository make_repository() {
  const std::filesystem::path folder = make_folder("repository");
  backups::make_marker(folder);
  return Repository::open(folder);
}

Catalogue read(const Repository& repository) {
  Catalogue catalogue = Catalogue::read(repository.path(), repository.keyring());
  require(catalogue.highest_sequence() >= 0 && catalogue.highest_sequence() <= std::int64_t{1} << 53U,
          "a sequence is a number that JSON carries");
  return catalogue;
}

std::vector<std::string> stored_in(const Catalogue& catalogue) {
  std::vector<std::string> ids;
  for (const auto& [id, expected] : catalogue.expectations()) {
    if (expected.must_be_there) ids.push_back(id);
  }
  return ids;
}

void read_repository(const Repository& repository) {
  const Catalogue catalogue = read(repository);
  const std::vector<backups::Entry> entries = repository.list();
  require(entries.size() == stored_in(catalogue).size(), "what the catalogue misses is listed");
  repository.catalogue_problems();
  repository.latest();
}

void append(const Repository& repository) {
  const Catalogue before = read(repository);
  CatalogueLine line;
  line.event = CatalogueEvent::stored;
  line.id = BackupId::parse("01890a5d-ac96-774b-bcce-b302099a80ff");
  line.sequence = 5;
  line.manifest_sha256 = std::string(64, 'b');
  line.source = "/srv/app.db";
  CatalogueWriter writer(repository);
  writer.append(line);
  const Catalogue after = read(repository);
  const Expectation* added = after.find(line.id.to_string());
  require(added != nullptr && added->must_be_there && added->allows(line.manifest_sha256),
          "a line that was added is read");
  require(after.problem() == before.problem(), "a line that is added follows from the one before it");
  require(after.last_hash() == writer.catalogue().last_hash(), "who adds a line knows its hash");
}

void compact(const Repository& repository) {
  const Catalogue before = read(repository);
  CatalogueWriter(repository).compact();
  const Catalogue after = read(repository);
  require(after.problem() == before.problem(),
          "a catalogue that is begun anew has no problem that it had not");
  require(stored_in(after) == stored_in(before), "a catalogue that is begun anew misses the same backups");
  require(after.highest_sequence() == before.highest_sequence(), "a sequence is never taken again");
}

}  // namespace

std::vector<std::string> fuzz_corpus() {
  return {
      text_of({first_line(0, 0), line("storing", '1', 1), line("stored", '1', 1), line("storing", '2', 2),
               line("stored", '2', 2)}),
      text_of({first_line(9, 3), line("stored", '1', 1), line("removing", '1', 1), line("storing", '3', 12)}),
      text_of({first_line(9, 3), with_key(line("storing", '1', 1)), with_key(line("stored", '1', 1)),
               line("stored", '2', 2)}),
      text_of({first_line(0, 0), with_key(line("stored", '1', 1)), with_key(line("removing", '1', 1))}),
      text_of({first_line(9'007'199'254'740'992, 9'223'372'036'854'775'807), line("stored", '1', 1)}),
      text_of({first_line(1, 1)}) + line("stored", '4', 2).dump(),
      text_of({line("stored", 'f', 2)}) + "\n\n{}\n[]\n",
      "",
  };
}

void fuzz_one(std::string_view input) {
  static const Repository plain = make_repository();
  static const Repository keyed = plain.authenticated_by(sample_key());
  const std::string text = repaired(input);
  for (const Repository* repository : {&plain, &keyed}) {
    put_file(repository->path() / backups::catalogue_file_name, text);
    bounded_call(memory_bytes_max, [&] { read_repository(*repository); });
    bounded_call(memory_bytes_max, [&] { append(*repository); });
    put_file(repository->path() / backups::catalogue_file_name, text);
    bounded_call(memory_bytes_max, [&] { compact(*repository); });
  }
}

}  // namespace nerve::fuzz
