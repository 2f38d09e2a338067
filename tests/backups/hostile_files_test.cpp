// SPDX-License-Identifier: Apache-2.0
// Goal: nothing that somebody else puts into a repository makes a command wait, crash, write elsewhere or end
// all later backups. Method: each file is replaced by what cannot be one, or by one whose fields lie and
// whose hashes and seals are right, since wrong ones would hide the fault.
#include "backups/container_scene.h"
#include "catalogue.h"
#include "container/reader.h"
#include "file_lock.h"
#include "layout.h"
#include "marker.h"
#include "repository_file.h"
#include "repository_folder.h"
#include "support/file_bytes.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/schedule.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::TempFolder;

namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void put_fifo(const fs::path& path) {
  fs::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
}

/// The file itself stays sound, at another place.
void put_link(const fs::path& path) {
  const fs::path elsewhere = path.parent_path().parent_path() / "elsewhere";
  fs::rename(path, elsewhere);
  fs::create_symlink(elsewhere, path);
}

using Replace = std::function<void(const fs::path&)>;

/// What takes a file's place, and what a message calls it.
const std::vector<std::pair<Replace, std::string>> replacements = {
    {put_fifo, "is a FIFO, not a file"}, {put_link, "is a symbolic link, not a file"}};

std::string sha256_of(const std::string& text) {
  const crypto::Sha256Digest digest = crypto::sha256(as_bytes(text));
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string octets;
  for (; size > 0; --size, value >>= 8U) octets += static_cast<char>(value & 0xFFU);
  return octets;
}

std::uint64_t number_in(const std::string& octets, std::size_t place, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t at = place + size; at > place; --at) {
    value = (value << 8U) | static_cast<unsigned char>(octets[at - 1]);
  }
  return value;
}

/// The container of a full without cipher as a stranger would write it, from docs/backup_format.md.
struct Forgery {
  explicit Forgery(const fs::path& container) : path(container), octets(bytes_of(container)) {}

  std::size_t trailer() const { return octets.size() - 128; }
  std::size_t index() const { return number_in(octets, trailer() + 16, 8); }
  void put(std::size_t place, std::uint64_t value, std::size_t size) {
    octets.replace(place, size, little_endian(value, size));
  }
  /// Makes all seals right again, where an index is in the file at all.
  void save() {
    octets.replace(224, 32, sha256_of(octets.substr(0, 224)));
    const std::uint64_t index_bytes = number_in(octets, trailer() + 24, 4);
    if (index() < trailer() && index_bytes <= trailer() - index()) {
      octets.replace(trailer() + 96, 32,
                     sha256_of(octets.substr(0, 256) + octets.substr(index(), index_bytes) +
                               octets.substr(trailer(), 96)));
    }
    write(path, octets);
  }

  fs::path path;
  std::string octets;
};

/// What is said of a container by whoever reads all of it; empty where it is sound.
std::string finding_of(const fs::path& path) {
  Keyring keyring(nullptr);
  try {
    const ContainerReader reader(path, keyring);
    GroupCodec codec(reader.header(), reader.keys());
    PageGroup group;
    for (std::size_t number = 0; number < reader.group_count(); ++number)
      reader.read_group(number, codec, group);
  } catch (const IntegrityError& error) {
    return error.what();
  } catch (const UnsupportedError& error) {
    return error.what();
  }
  return {};
}

/// A backup's manifest with a change to it, under its own right hash.
std::string with_change(const Manifest& manifest, const std::function<void(Json&)>& change) {
  Json json = manifest.to_json();
  change(json);
  json["manifest_sha256"] = to_hex(crypto::sha256(as_bytes(to_canonical_text(json))));
  return json.dump();
}

void plant(const ContainerScene& scene, const Manifest& manifest, const std::function<void(Json&)>& change) {
  write(scene.repository.folder_of(manifest.id) / manifest_file_name, with_change(manifest, change));
}

const VerifyReport& report_of(const std::vector<VerifyReport>& reports, const Manifest& manifest) {
  const auto found = std::ranges::find(reports, manifest.id.to_string(), &VerifyReport::id);
  REQUIRE(found != reports.end());
  return *found;
}

}  // namespace

TEST_CASE("a FIFO or a link in the place of a repository's file is refused at once, and named") {
  for (const auto& replacement : replacements) {
    const auto& replace = replacement.first;
    const auto& called = replacement.second;
    CAPTURE(called);
    const auto replaced = [&, &put = replace](const char* what, const auto& look) {
      CAPTURE(what);
      ContainerScene scene;
      const Manifest manifest = scene.back_up();
      record_verification(scene.repository, manifest.id, Proof::hashes, scene.clock);
      hold_backup(scene.repository, manifest.id, "a reason", scene.clock);
      look(scene, manifest, put);
    };
    replaced("marker", [&](ContainerScene& scene, const Manifest&, const Replace& put) {
      put(scene.repository.path() / marker_file_name);
      CHECK_THROWS_WITH_AS(Repository::open(scene.repository.path()), doctest::Contains(called.c_str()),
                           IntegrityError);
    });
    replaced("catalogue", [&](ContainerScene& scene, const Manifest&, const Replace& put) {
      put(scene.repository.path() / catalogue_file_name);
      CHECK_THROWS_WITH_AS(scene.repository.list(), doctest::Contains(called.c_str()), IntegrityError);
      CHECK_THROWS_WITH_AS(scene.back_up(), doctest::Contains(called.c_str()), IntegrityError);
    });
    for (const std::string_view name : {manifest_file_name, container_file_name}) {
      replaced(std::string(name).c_str(),
               [&](ContainerScene& scene, const Manifest& one, const Replace& put) {
                 put(scene.repository.folder_of(one.id) / name);
                 CHECK(scene.repository.list().at(0).problem.find(called) != std::string::npos);
                 CHECK_FALSE(report_of(verify_all(scene.repository, {}), one).ok());
                 // The next backup needs none of it.
                 CHECK_FALSE(scene.back_up().container->parent);
               });
    }
    replaced("notes", [&](ContainerScene& scene, const Manifest& one, const Replace& put) {
      put(scene.repository.folder_of(one.id) / verification_file_name);
      CHECK_FALSE(last_verification(scene.repository, one.id));
      put(scene.repository.folder_of(one.id) / hold_file_name);
      CHECK(hold_of(scene.repository, one.id)->reason == "unreadable");
    });
    replaced("schedule", [&](ContainerScene& scene, const Manifest&, const Replace& put) {
      write(scene.repository.path() / schedule_file_name, "{}");
      put(scene.repository.path() / schedule_file_name);
      CHECK_THROWS_WITH_AS(promise_of(scene.repository, scene.database), doctest::Contains(called.c_str()),
                           IntegrityError);
    });
  }
}

TEST_CASE("what stands in the place of a file is called by its name") {
  const TempFolder folder;
  const auto refusal = [&](const fs::path& path, int flags) {
    try {
      open_repository_file(path, flags, 0600);
    } catch (const IntegrityError& error) {
      CHECK_FALSE(error.hint().empty());
      return std::string(error.what());
    }
    return std::string("none");
  };
  fs::create_directory(folder / "folder");
  put_fifo(folder / "fifo");
  fs::create_symlink(folder / "nowhere", folder / "link");
  CHECK(refusal(folder / "folder", O_RDONLY) == (folder / "folder").string() + " is a folder, not a file");
  CHECK(refusal(folder / "folder", O_RDWR | O_CREAT) ==
        (folder / "folder").string() + " is a folder, not a file");
  CHECK(refusal(folder / "fifo", O_WRONLY) == (folder / "fifo").string() + " is a FIFO, not a file");
  CHECK(refusal(folder / "fifo", O_RDWR) == (folder / "fifo").string() + " is a FIFO, not a file");
  CHECK(refusal(folder / "link", O_RDWR | O_CREAT) ==
        (folder / "link").string() + " is a symbolic link, not a file");
  CHECK_FALSE(fs::exists(folder / "nowhere"));
  CHECK(refusal("/dev/null", O_RDONLY) == "/dev/null is a device, not a file");
  CHECK_THROWS_AS(open_repository_file(folder / "missing", O_RDONLY), NotFoundError);
}

TEST_CASE("the folder of a backup that is a link is refused, and nothing is written or removed beyond it") {
  ContainerScene scene;
  const Manifest manifest = scene.back_up();
  hold_backup(scene.repository, manifest.id, "a reason", scene.clock);
  const fs::path folder = scene.repository.folder_of(manifest.id);
  fs::rename(folder, scene.folder / "elsewhere");
  fs::create_directory_symlink(scene.folder / "elsewhere", folder);
  CHECK(scene.repository.list().at(0).problem == folder.string() + " is a symbolic link, not a folder");
  CHECK_THROWS_AS(record_verification(scene.repository, manifest.id, Proof::hashes, scene.clock),
                  IntegrityError);
  CHECK_FALSE(fs::exists(scene.folder / "elsewhere" / verification_file_name));
  CHECK_THROWS_AS(release_backup(scene.repository, manifest.id), IntegrityError);
  CHECK(fs::exists(scene.folder / "elsewhere" / hold_file_name));
}

TEST_CASE("a repository whose own folder is a link that its user made works") {
  ContainerScene scene;
  fs::create_directory(scene.folder / "disk");
  fs::create_directory_symlink(scene.folder / "disk", scene.folder / "link");
  scene.repository = Repository::open_or_create(scene.folder / "link");
  const Manifest manifest = scene.back_up();
  record_verification(scene.repository, manifest.id, Proof::hashes, scene.clock);
  CHECK(last_verification(scene.repository, manifest.id));
  CHECK(test::content_of(scene.restored(manifest)) == test::content_of(scene.database));
}

TEST_CASE("a marker that is another name of a file leaves that file as it is") {
  const std::string precious = "precious\n";
  const auto symbolic = [](const fs::path& victim, const fs::path& name) {
    fs::create_symlink(victim, name);
  };
  const auto hard = [](const fs::path& victim, const fs::path& name) { fs::create_hard_link(victim, name); };
  using Link = std::function<void(const fs::path&, const fs::path&)>;
  for (const Link& link : {Link(symbolic), Link(hard)}) {
    ContainerScene scene;
    const fs::path victim = scene.folder / "victim";
    write(victim, precious);
    fs::create_directory(scene.repository.path());
    link(victim, scene.repository.path() / partial_marker_file_name);
    CHECK_THROWS_WITH_AS(scene.back_up(), doctest::Contains(partial_marker_file_name.data()),
                         DamagedRepositoryError);
    CHECK(bytes_of(victim) == precious);
    fs::remove(scene.repository.path() / partial_marker_file_name);
    scene.back_up();
    fs::remove(scene.repository.path() / marker_file_name);
    link(victim, scene.repository.path() / marker_file_name);
    CHECK_THROWS_AS(Repository::repair(scene.repository.path()), IntegrityError);
    CHECK(bytes_of(victim) == precious);
  }
}

TEST_CASE("the first signal ends the wait for a lock, also one that comes before it") {
  const TempFolder folder;
  const fs::path path = folder / "lock";
  const Descriptor holder = open_file(path, O_RDWR | O_CREAT, 0600);
  lock_exclusive(holder, path);
  const Descriptor waiter = open_file(path, O_RDWR);
  {
    const InterruptGuard guard;
    REQUIRE(std::raise(SIGTERM) == 0);
    CHECK_THROWS_AS(lock_exclusive(waiter, path), CancelledError);
    CHECK_THROWS_AS(lock_shared(waiter, path), CancelledError);
  }
  // Forgets the signal, so that the tests after this one are not interrupted.
  const InterruptGuard forgets;
}

TEST_CASE("a container whose index offset wraps is damaged, and neither backup nor verify stops at it") {
  ContainerScene scene;
  const Manifest first = scene.back_up();
  Forgery forgery(scene.file_of(first));
  // One number of groups that the format allows, and an offset that leads to the trailer once it was added.
  const std::uint64_t groups = 200'000;
  const std::uint64_t index_bytes = 8 + 16 * groups;
  REQUIRE(index_bytes > forgery.octets.size());
  forgery.put(forgery.trailer() + 16, forgery.trailer() - index_bytes, 8);
  forgery.put(forgery.trailer() + 24, index_bytes, 4);
  forgery.put(forgery.trailer() + 28, groups, 4);
  forgery.save();
  CHECK(finding_of(forgery.path).find("its index is not where it should be") != std::string::npos);
  const Manifest second = scene.back_up();
  CHECK_FALSE(second.container->parent);
  const Manifest third = scene.back_up();
  CHECK(third.container->parent == second.id);
  const std::vector<VerifyReport> reports = verify_all(scene.repository, {});
  CHECK_FALSE(report_of(reports, first).ok());
  CHECK(report_of(reports, second).ok());
  CHECK(report_of(reports, third).ok());
}

TEST_CASE("a container of which any byte lies under right seals is sound or damaged, and nothing else") {
  ContainerScene scene;
  const Forgery sound(scene.file_of(scene.back_up()));
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < 224; ++place) places.push_back(place);
  for (std::size_t place = sound.index(); place < sound.trailer() + 96; ++place) places.push_back(place);
  const std::size_t hash_record_bytes = number_in(sound.octets, sound.index() + 16, 4);
  for (std::size_t place = 256; place < 256 + hash_record_bytes + 32; ++place) places.push_back(place);
  std::size_t found = 0;
  for (const std::size_t place : places) {
    for (const std::uint64_t octet : {0x00U, 0x01U, 0x7FU, 0x80U, 0xFFU}) {
      Forgery forgery = sound;
      forgery.put(place, octet, 1);
      forgery.save();
      CAPTURE(place);
      CAPTURE(octet);
      // An error of another kind ends this test.
      if (!finding_of(forgery.path).empty()) ++found;
    }
  }
  CHECK(found > places.size() * 3);
}

TEST_CASE("pages that a few bytes cannot hold are refused before memory is asked for") {
  ContainerHeader header;
  header.page_size_bytes = 65536;
  ContainerKeys keys;
  keys.hash_key = Secret::copy_of(header.hash_salt);
  GroupCodec codec(header, keys);
  PageGroup group;
  // A gigabyte, of which a Zstandard frame says itself (RFC 8878, 3.1.1.1) that it is as long.
  group.numbers.assign(16384, 1);
  const std::string frame = "\x28\xB5\x2F\xFD" + std::string("\xA0", 1) +
                            little_endian(std::uint64_t{1} << 30U, 4) + little_endian(1, 3);
  CHECK_THROWS_AS(codec.decode_pages(0, as_bytes(frame), "a group", group), IntegrityError);
  CHECK(group.octets.capacity() == 0);
}

TEST_CASE("a cost of scrypt that nobody would pay is refused from the header alone") {
  ContainerScene scene;
  const auto takes = [&](int log2_n, int r, int p) {
    ContainerHeader header;
    header.cipher = Cipher::aes_256_gcm;
    header.key.source = KeySource::scrypt;
    header.page_size_bytes = 4096;
    header.group_pages = group_pages_for(4096, 0);
    header.id = new_id<BackupTag>();
    header.generation = header.id;
    header.key.cost = {static_cast<std::uint8_t>(log2_n), static_cast<std::uint8_t>(r),
                       static_cast<std::uint8_t>(p)};
    Bytes octets = header_octets(header);
    octets.resize(header_bytes);
    try {
      parse_header(octets, "a container");
      return true;
    } catch (const IntegrityError&) {
      return false;
    }
  };
  CHECK(takes(14, 8, 5));
  CHECK(takes(17, 8, 1));
  CHECK(takes(19, 8, 1));
  CHECK_FALSE(takes(20, 8, 1));
  CHECK(takes(18, 8, 4));
  CHECK_FALSE(takes(18, 8, 5));
  CHECK_FALSE(takes(20, 32, 16));
  CHECK_FALSE(takes(0, 8, 1));
}

TEST_CASE("backups that are deltas to each other or to themselves are damaged, and the next one is a full") {
  for (const bool is_itself : {false, true}) {
    ContainerScene scene;
    const Manifest full = scene.back_up();
    const Manifest delta = scene.back_up();
    REQUIRE(delta.container->parent);
    fs::remove(scene.repository.path() / catalogue_file_name);
    const Manifest& parent = is_itself ? delta : full;
    plant(scene, delta, [&](Json& json) { json["container"]["parent"] = parent.id.to_string(); });
    plant(scene, is_itself ? delta : full, [&](Json& json) {
      json["container"]["parent"] = delta.id.to_string();
      json["container"]["depth"] = 1;
    });
    for (const Entry& entry : scene.repository.list()) {
      if (entry.name == delta.id.to_string()) CHECK_FALSE(entry.problem.empty());
    }
    CHECK_FALSE(report_of(verify_all(scene.repository, {}), delta).ok());
    const Manifest next = scene.back_up();
    CHECK(report_of(verify_all(scene.repository, {}), next).ok());
    CHECK((is_itself || !next.container->parent));
  }
}

TEST_CASE("a manifest whose numbers cannot be is damaged, however right its hash") {
  ContainerScene scene;
  const Manifest manifest = scene.back_up();
  const std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  const auto finding = [&](const char* pointer, const Json& value) {
    try {
      parse_manifest(with_change(manifest, [&](Json& json) { json[Json::json_pointer(pointer)] = value; }),
                     "manifest.json");
    } catch (const IntegrityError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::vector<std::pair<const char*, std::vector<Json>>> refused = {
      {"/sequence", {-1, highest, (std::int64_t{1} << 53) + 1, std::uint64_t{1} << 63U, 1e300, true, "1"}},
      {"/container/depth", {-1, 1'000'001, highest}},
      {"/container/stored_pages", {-1, 4'294'967'295}},
      {"/sqlite/page_size_bytes", {-4096, 1, 256, 4097, 131'072, highest}},
      {"/sqlite/page_count", {-1, 4'294'967'295, highest}},
      {"/sqlite/user_version", {highest}},
      {"/source/size_bytes", {-1, highest}},
      {"/file/size_bytes", {-1, highest, 0.5}},
      {"/tables/0/rows", {-1, highest, std::uint64_t{1} << 63U}},
      {"/checks/foreign_key_violations", {-1}},
      {"/duration_ms", {highest}},
      {"/source/path", {std::string(20'000, 'x')}},
      {"/tables", {Json::object()}}};
  for (const auto& one : refused) {
    const auto& pointer = one.first;
    const auto& values = one.second;
    for (const Json& value : values) {
      CAPTURE(pointer);
      CAPTURE(value.dump());
      CHECK(finding(pointer, value).starts_with("manifest.json"));
    }
  }
  const std::vector<std::pair<const char*, Json>> taken = {
      {"/sequence", std::int64_t{1} << 53}, {"/sqlite/page_size_bytes", 0},
      {"/sqlite/page_size_bytes", 65536},   {"/sqlite/page_count", 4'294'967'294},
      {"/sqlite/application_id", -1},       {"/duration_ms", -5}};
  for (const auto& one : taken) {
    const auto& pointer = one.first;
    const auto& value = one.second;
    CAPTURE(pointer);
    CHECK(finding(pointer, value).empty());
  }
}

TEST_CASE("row counts whose sum overflows make a manifest damaged") {
  ContainerScene scene;
  Manifest manifest = scene.back_up();
  const std::int64_t half = std::numeric_limits<std::int64_t>::max() / 2;
  manifest.tables = {{"a", half}, {"b", half}, {"c", 1}};
  CHECK(parse_manifest(manifest_text(manifest), "manifest.json").rows_total() ==
        std::numeric_limits<std::int64_t>::max());
  manifest.tables.push_back({"d", 1});
  CHECK_THROWS_WITH_AS(parse_manifest(manifest_text(manifest), "manifest.json"),
                       doctest::Contains("more rows than can be counted"), IntegrityError);
}

TEST_CASE("a planted sequence neither overflows nor makes the next backup older") {
  ContainerScene scene;
  const Manifest first = scene.back_up();
  plant(scene, first, [](Json& json) { json["sequence"] = std::numeric_limits<std::int64_t>::max(); });
  fs::remove(scene.repository.path() / catalogue_file_name);
  Repository::repair(scene.repository.path());
  CHECK(scene.repository.list().at(0).problem.find("its sequence is no whole number") != std::string::npos);
  const Manifest second = scene.back_up();
  CHECK(second.sequence == 1);
  const Manifest third = scene.back_up();
  CHECK(third.sequence == 2);
  CHECK(scene.repository.newest_of(scene.database)->id == third.id);
}

TEST_CASE("a sequence in the catalogue that cannot be is a problem, and the highest one has no successor") {
  ContainerScene scene;
  scene.back_up();
  const fs::path path = scene.repository.path() / catalogue_file_name;
  const auto with_first_line = [&](const std::string& sequence) {
    write(path, R"({"catalogue":1,"previous":"","sequence":)" + sequence + "}\n");
    return Catalogue::read(scene.repository.path(), nullptr);
  };
  const Catalogue overflowing = with_first_line("9223372036854775807");
  CHECK(overflowing.problem().find("its sequence is no whole number") != std::string::npos);
  CHECK(highest_sequence(scene.repository, overflowing) == 1);
  const Catalogue highest = with_first_line("9007199254740992");
  CHECK(highest.problem().find("no backup can have it") != std::string::npos);
  CHECK(highest_sequence(scene.repository, highest) == 1);
  CHECK_THROWS_WITH_AS(successor_of(std::int64_t{1} << 53U, scene.repository.path()),
                       doctest::Contains("the highest number"), IntegrityError);
}

TEST_CASE("a catalogue of many backups that were removed is read with little kept") {
  ContainerScene scene;
  const Manifest manifest = scene.back_up();
  const fs::path path = scene.repository.path() / catalogue_file_name;
  const std::string text = bytes_of(path);
  const std::size_t last_begin = text.rfind('\n', text.size() - 2) + 1;
  std::string line = text.substr(last_begin, text.size() - 1 - last_begin);
  std::string previous = to_hex(crypto::sha256(as_bytes(line)));
  std::ofstream file(path, std::ios::app | std::ios::binary);
  for (int number = 0; number < 5'000; ++number) {
    const std::string id = new_id<BackupTag>().to_string();
    for (const char* event : {"storing", "stored", "removing"}) {
      line = Json({{"at", "2026-05-01T08:00:00Z"},
                   {"created_at", "2026-05-01T08:00:00Z"},
                   {"event", event},
                   {"id", id},
                   {"manifest_sha256", std::string(64, 'a')},
                   {"previous", previous},
                   {"sequence", number}})
                 .dump();
      previous = to_hex(crypto::sha256(as_bytes(line)));
      file << line << '\n';
    }
  }
  file.close();
  const Catalogue catalogue = Catalogue::read(scene.repository.path(), nullptr);
  CHECK(catalogue.problem().empty());
  CHECK(catalogue.highest_sequence() == 4'999);
  CHECK(catalogue.expectations().size() == 1);
  CHECK(catalogue.find(manifest.id.to_string()) != nullptr);
  CHECK(scene.back_up().sequence == 5'000);
}

TEST_CASE("a line of the catalogue that is too long to be one is damage, and what follows is read") {
  ContainerScene scene;
  scene.back_up();
  const fs::path path = scene.repository.path() / catalogue_file_name;
  const std::string lines = bytes_of(path);
  const std::size_t first_end = lines.find('\n') + 1;
  write(path, lines.substr(0, first_end) + std::string(300'000, 'x') + "\n" + lines.substr(first_end));
  const Catalogue catalogue = Catalogue::read(scene.repository.path(), nullptr);
  CHECK(catalogue.problem().starts_with("line 2 of "));
  CHECK(catalogue.problem().find("longer than 65536 bytes") != std::string::npos);
  CHECK(catalogue.expectations().size() == 1);
}

TEST_CASE("a database that is cut by one byte is damaged, and what there is of it is kept") {
  for (const bool is_counted : {true, false}) {
    ContainerScene scene("delete");
    if (!is_counted) {
      // As a library before 3.7.0 left it: the header says of another version that it counts the pages.
      std::fstream file(scene.database, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(92).write("\0\0\0\0", 4);
    }
    fs::resize_file(scene.database, fs::file_size(scene.database) - 1);
    CHECK_THROWS_WITH_AS(scene.back_up(), doctest::Contains("it is cut off"), IntegrityError);
    CHECK_THROWS_AS(scene.back_up({.keep_damaged = true}), DamagedSourceError);
    const std::vector<Entry> entries = scene.repository.list();
    REQUIRE(entries.size() == 1);
    const Manifest kept = entries[0].manifest.value();
    CHECK(kept.state == State::damaged);
    CHECK(bytes_of(scene.repository.folder_of(kept.id) / database_file_name) == bytes_of(scene.database));
  }
}

TEST_CASE("a database whose last pages are in the write-ahead log alone is not cut off") {
  ContainerScene scene("wal");
  test::PlainSqlite connection(scene.database);
  connection.run(
      "PRAGMA wal_autocheckpoint=0; INSERT INTO events(id, user_id, body) "
      "SELECT id + 100000, user_id, zeroblob(5000) FROM events");
  const Manifest manifest = scene.back_up();
  CHECK(manifest.state == State::good);
  CHECK(fs::file_size(scene.database) < manifest.database_bytes());
}

TEST_CASE("a database of an unknown schema format is damaged, and kept as it lies") {
  ContainerScene scene("delete");
  {
    std::fstream file(scene.database, std::ios::in | std::ios::out | std::ios::binary);
    // https://www.sqlite.org/fileformat2.html#schema_format_number
    file.seekp(44).write("\0\0\0\x0C", 4);
  }
  CHECK_THROWS_WITH_AS(scene.back_up({.keep_damaged = true}), doctest::Contains("schema format"),
                       DamagedSourceError);
  const std::vector<Entry> entries = scene.repository.list();
  REQUIRE(entries.size() == 1);
  const Manifest kept = entries[0].manifest.value();
  CHECK(kept.state == State::damaged);
  CHECK(bytes_of(scene.restored(kept)) == bytes_of(scene.database));
}
