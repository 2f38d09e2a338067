// SPDX-License-Identifier: Apache-2.0
// The container: what goes in comes out, zstd(1) reads it, and every alteration is found.
// docs/backup_format.md is what it is held to.
#include "container/chain.h"
#include "container/writer.h"
#include "support/file_bytes.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::TempFolder;

namespace {

constexpr std::size_t page_bytes = 512;

/// A database of which only the pages matter.
using Pages = std::vector<Bytes>;

Pages random_pages(std::size_t count, std::uint64_t seed) {
  SeededRandom random(seed);
  Pages pages(count, Bytes(page_bytes));
  for (Bytes& page : pages) random.fill(std::span(page).first(page_bytes / 2));
  return pages;
}

Bytes joined(const Pages& pages) {
  Bytes all;
  for (const Bytes& page : pages) all.insert(all.end(), page.begin(), page.end());
  return all;
}

Bytes octets_of(const std::filesystem::path& path) {
  const std::string text = test::bytes_of(path);
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

void put_content(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

BackupKey sample_key(std::byte first = std::byte{1}) {
  TempFolder folder;
  Bytes octets(32, std::byte{7});
  octets[0] = first;
  put_content(folder / "key", octets);
  std::filesystem::permissions(folder / "key", std::filesystem::perms::owner_read);
  return BackupKey::from_file(folder / "key");
}

/// A generation of containers in a folder of its own.
class Generation {
 public:
  explicit Generation(bool is_encrypted = true) {
    if (is_encrypted) use_key(sample_key());
    header_.page_size_bytes = page_bytes;
    header_.key = keyring.new_key_facts(system_random());
    header_.cipher = is_encrypted ? Cipher::aes_256_gcm : Cipher::none;
    system_random().fill(header_.hash_salt);
  }

  void use_key(std::optional<BackupKey> key) {
    key_ = std::move(key);
    keyring = Keyring(key_ ? &*key_ : nullptr);
  }

  /// Adds the state `pages` as a full or as the next delta.
  std::filesystem::path add(const Pages& pages) {
    const bool is_full = paths.empty();
    std::optional<PageState> previous;
    header_.id = new_id<BackupTag>();
    header_.page_count = static_cast<std::uint32_t>(pages.size());
    header_.group_pages = group_pages_for(page_bytes, header_.page_count);
    if (header_.is_encrypted()) system_random().fill(header_.backup_salt);
    if (is_full) {
      header_.generation = header_.id;
    } else {
      const Chain chain(paths, keyring);
      header_.kind = ContainerKind::delta;
      header_.parent = chain.last().header().id;
      header_.parent_state = chain.last().trailer().state;
      header_.depth = chain.last().header().depth + 1;
      previous.emplace(chain.state(folder.path()));
    }
    std::filesystem::path path = folder / (std::to_string(paths.size()) + ".zst");
    const Descriptor file = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    const ContainerKeys keys = keyring.keys_of(header_, path.string());
    ContainerWriter writer(file, path, header_, keys, previous ? &*previous : nullptr);
    std::uint32_t number = 0;
    for (const Bytes& page : pages) writer.take(++number, page);
    trailers.push_back(writer.finish());
    paths.push_back(path);
    return path;
  }

  Bytes restored() {
    const Chain chain(paths, keyring);
    chain.state(folder.path());
    const std::filesystem::path path = folder / "restored";
    std::filesystem::remove(path);
    chain.restore(open_file(path, O_RDWR | O_CREAT, 0600), path, "restoring", nullptr);
    return octets_of(path);
  }

  /// What is said of the chain; "whole" where nothing is wrong.
  std::string verdict() {
    try {
      const Chain chain(paths, keyring);
      chain.state(folder.path());
      std::set<BackupId> verified;
      chain.verify("verifying", nullptr, verified);
    } catch (const Error& error) {
      return error.what();
    }
    return "whole";
  }

  TempFolder folder;
  Keyring keyring;
  std::vector<std::filesystem::path> paths;
  std::vector<ContainerTrailer> trailers;

 private:
  std::optional<BackupKey> key_;
  ContainerHeader header_;
};

/// A writer of an unencrypted full without a generation.
struct LooseWriter {
  LooseWriter(const Descriptor& file, const std::filesystem::path& path, std::uint32_t page_count)
      : header(header_of(page_count)),
        keys(Keyring().keys_of(header, "")),
        writer(file, path, header, keys, nullptr) {}

  static ContainerHeader header_of(std::uint32_t page_count) {
    ContainerHeader made;
    made.page_size_bytes = page_bytes;
    made.page_count = page_count;
    made.group_pages = group_pages_for(page_bytes, page_count);
    return made;
  }

  ContainerHeader header;
  ContainerKeys keys;
  ContainerWriter writer;
};

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

/// The verdict on the chain while one of its files is `altered`.
std::string verdict_with(Generation& generation, const std::filesystem::path& path, const Bytes& altered) {
  const Bytes whole = octets_of(path);
  put_content(path, altered);
  std::string verdict = generation.verdict();
  put_content(path, whole);
  return verdict;
}

Bytes flipped(Bytes bytes, std::size_t place) {
  bytes[place] ^= std::byte{0x40};
  return bytes;
}

/// Where the frames of a container begin that are skippable: head and tail, and with the cipher every record.
std::vector<std::size_t> frame_offsets(const Bytes& bytes) {
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < bytes.size();) {
    offsets.push_back(at);
    std::size_t size = 0;
    for (std::size_t place = 4; place > 0; --place) {
      size = size * 256 + std::to_integer<std::size_t>(bytes[at + 3 + place]);
    }
    at += 8 + size;
  }
  return offsets;
}

}  // namespace

TEST_CASE("zstd(1) restores an unencrypted full byte for byte") {
  Generation generation(false);
  const Pages pages = random_pages(2000, 1);
  const std::filesystem::path path = generation.add(pages);
  const test::ProcessResult result =
      test::run_process({"zstd", "-q", "-d", "-o", (generation.folder / "by_zstd").string(), path.string()});
  CHECK(result.exit_code == 0);
  CHECK(octets_of(generation.folder / "by_zstd") == joined(pages));
}

TEST_CASE(
    "each state of a generation is restored as it was: pages changed, added, taken away and back again") {
  for (const bool is_encrypted : {false, true}) {
    CAPTURE(is_encrypted);
    Generation generation(is_encrypted);
    Pages pages = random_pages(1500, 2);
    generation.add(pages);
    CHECK(generation.restored() == joined(pages));
    const Pages fresh = random_pages(800, 3);
    pages[7] = fresh[7];
    pages[1499] = fresh[1];
    pages[600] = Bytes(page_bytes);
    generation.add(pages);
    CHECK(generation.restored() == joined(pages));
    CHECK(generation.trailers.back().stored_pages == 3);
    pages.insert(pages.end(), fresh.begin(), fresh.end());
    generation.add(pages);
    CHECK(generation.restored() == joined(pages));
    CHECK(generation.trailers.back().stored_pages == 800);
    const Pages longer = pages;
    pages.resize(300);
    generation.add(pages);
    CHECK(generation.restored() == joined(pages));
    CHECK(generation.trailers.back().stored_pages == 0);
    generation.add(longer);
    CHECK(generation.restored() == joined(longer));
    CHECK(generation.trailers.back().stored_pages == longer.size() - 300);
    CHECK(generation.verdict() == "whole");
  }
}

TEST_CASE("a database without pages, and a delta without changes, are containers too") {
  for (const bool is_encrypted : {false, true}) {
    Generation generation(is_encrypted);
    generation.add({});
    CHECK(generation.restored().empty());
    const Pages pages = random_pages(10, 4);
    generation.add(pages);
    generation.add(pages);
    CHECK(generation.trailers.back().stored_pages == 0);
    CHECK(generation.restored() == joined(pages));
  }
}

TEST_CASE("zero pages of a restored full are holes, and of a delta they are written") {
  Generation generation(false);
  Pages pages(20'000, Bytes(page_bytes));
  pages[3][0] = std::byte{1};
  generation.add(pages);
  CHECK(generation.restored() == joined(pages));
  struct stat status {};
  REQUIRE(::stat((generation.folder / "restored").c_str(), &status) == 0);
  CHECK(status.st_blocks * 512 < 1'000'000);
  pages[3][0] = std::byte{0};
  generation.add(pages);
  CHECK(generation.restored() == joined(pages));
}

TEST_CASE("pages out of order, of another size, too many and too few are refused") {
  const TempFolder folder;
  const Descriptor file = open_file(folder / "a", O_RDWR | O_CREAT, 0600);
  LooseWriter loose(file, folder / "a", 2);
  const Bytes page(page_bytes);
  CHECK_THROWS_AS(loose.writer.take(2, page), Error);
  CHECK_THROWS_AS(loose.writer.take(1, Bytes(page_bytes - 1)), Error);
  loose.writer.take(1, page);
  CHECK_THROWS_AS(loose.writer.take(1, page), Error);
  CHECK_THROWS_AS(loose.writer.finish(), Error);
}

TEST_CASE("a writer that is thrown away in the middle leaves no thread behind") {
  const Pages pages = random_pages(5000, 5);
  const TempFolder folder;
  const std::ptrdiff_t threads_before = threads_of_this_process();
  {
    const Descriptor file = open_file(folder / "a", O_RDWR | O_CREAT, 0600);
    LooseWriter loose(file, folder / "a", 5000);
    CHECK(threads_of_this_process() > threads_before);
    for (std::uint32_t number = 1; number <= 3000; ++number) loose.writer.take(number, pages[number - 1]);
  }
  CHECK(threads_of_this_process() == threads_before);
}

TEST_CASE("what a thread cannot write is thrown by take or finish") {
  const Pages pages = random_pages(5000, 5);
  // A file that cannot grow beyond what holds the header and a few groups.
  const Descriptor file(::memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(file.number(), 300'000) == 0);
  REQUIRE(::fcntl(file.number(), F_ADD_SEALS, F_SEAL_GROW) == 0);
  LooseWriter loose(file, "full", 5000);
  const auto write_all = [&] {
    for (std::uint32_t number = 1; number <= 5000; ++number) loose.writer.take(number, pages[number - 1]);
    loose.writer.finish();
  };
  CHECK_THROWS_WITH_AS(write_all(), doctest::Contains("cannot write full"), DeniedError);
}

TEST_CASE("every altered byte is found, in fulls and deltas, with and without encryption") {
  for (const bool is_encrypted : {false, true}) {
    CAPTURE(is_encrypted);
    Generation generation(is_encrypted);
    Pages pages = random_pages(600, 6);
    generation.add(pages);
    pages[5] = random_pages(1, 7)[0];
    generation.add(pages);
    for (const std::filesystem::path& path : generation.paths) {
      const Bytes whole = octets_of(path);
      std::set<std::size_t> places;
      for (std::size_t place = 0; place < header_bytes; ++place) places.insert(place);
      for (std::size_t place = whole.size() - trailer_bytes - 60; place < whole.size(); ++place)
        places.insert(place);
      for (std::size_t place = header_bytes; place < whole.size(); place += 1009) places.insert(place);
      for (const std::size_t place : places) {
        CAPTURE(place);
        const std::string verdict = verdict_with(generation, path, flipped(whole, place));
        CHECK(verdict != "whole");
        CHECK(verdict.find(path.string()) != std::string::npos);
      }
    }
    CHECK(generation.verdict() == "whole");
  }
}

TEST_CASE("a container that is cut off anywhere, or longer, is found") {
  Generation generation;
  const std::filesystem::path path = generation.add(random_pages(600, 8));
  const Bytes whole = octets_of(path);
  for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 13 : 4001) {
    CAPTURE(size);
    CHECK(verdict_with(generation, path,
                       Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) != "whole");
  }
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  CHECK(verdict_with(generation, path, longer).find("it does not end as one") != std::string::npos);
}

TEST_CASE("records that were exchanged, left out or taken from another container are found") {
  Generation generation;
  Generation other;
  const Pages pages = random_pages(1600, 9);
  const std::filesystem::path path = generation.add(pages);
  const Bytes whole = octets_of(path);
  const Bytes foreign = octets_of(other.add(pages));
  const std::vector<std::size_t> frames = frame_offsets(whole);
  REQUIRE(frames.size() == 2 + 2 * 4 + 1);
  const auto part = [](const Bytes& bytes, std::size_t begin, std::size_t end) {
    return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                 bytes.begin() + static_cast<std::ptrdiff_t>(end));
  };
  const auto join = [](const std::vector<Bytes>& parts) {
    Bytes all;
    for (const Bytes& one : parts) all.insert(all.end(), one.begin(), one.end());
    return all;
  };
  const Bytes exchanged = join({part(whole, 0, frames[1]), part(whole, frames[3], frames[5]),
                                part(whole, frames[1], frames[3]), part(whole, frames[5], whole.size())});
  REQUIRE(exchanged.size() == whole.size());
  CHECK(verdict_with(generation, path, exchanged).find("group 0 is damaged: its list of pages was altered") !=
        std::string::npos);
  const Bytes without = join({part(whole, 0, frames[3]), part(whole, frames[5], whole.size())});
  CHECK(verdict_with(generation, path, without).find("bytes and was written with") != std::string::npos);
  const std::vector<std::size_t> foreign_frames = frame_offsets(foreign);
  const Bytes mixed = join({part(whole, 0, frames[1]), part(foreign, foreign_frames[1], foreign_frames[2]),
                            part(whole, frames[2], whole.size())});
  REQUIRE(mixed.size() == whole.size());
  CHECK(verdict_with(generation, path, mixed).find("group 0 is damaged: its list of pages was altered") !=
        std::string::npos);
}

TEST_CASE("a delta of another chain, one left out, and one out of order are found") {
  Generation generation;
  Generation other;
  Pages pages = random_pages(100, 10);
  generation.add(pages);
  other.add(pages);
  for (std::size_t round = 0; round < 3; ++round) {
    pages[round] = random_pages(1, 11 + round)[0];
    generation.add(pages);
    other.add(pages);
  }
  const std::vector<std::filesystem::path> right = generation.paths;
  generation.paths = {right[0], right[2]};
  CHECK(generation.verdict().find("it is not a delta to " + right[0].string()) != std::string::npos);
  generation.paths = {right[0], right[2], right[1]};
  CHECK(generation.verdict().find("it is not a delta to") != std::string::npos);
  generation.paths = {right[0], other.paths[1]};
  CHECK(generation.verdict().find("it belongs to another generation of backups") != std::string::npos);
  generation.paths = {right[1]};
  CHECK(generation.verdict().find("it is a delta, and its full is not there") != std::string::npos);
}

TEST_CASE("a wrong key is told from an altered file") {
  Generation generation;
  const std::filesystem::path path = generation.add(random_pages(10, 12));
  generation.use_key(sample_key(std::byte{2}));
  CHECK(generation.verdict() == path.string() + " is encrypted with another key file");
  generation.use_key(std::nullopt);
  CHECK(generation.verdict() == path.string() + " is encrypted with a key file");
  generation.use_key(BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse"))));
  CHECK(generation.verdict() == path.string() + " is encrypted with a key file");
  generation.use_key(sample_key());
  CHECK(verdict_with(generation, path, flipped(octets_of(path), 130)) ==
        path.string() + ": the header of the backup is damaged: it was altered");
}

TEST_CASE("nothing of a page can be read in an encrypted container") {
  Generation generation;
  Pages pages(64, Bytes(page_bytes));
  const std::string_view text = "a sentence that stands in the database";
  for (Bytes& page : pages) std::ranges::copy(as_bytes(text), page.begin());
  const std::filesystem::path path = generation.add(pages);
  CHECK(as_text(octets_of(path)).find("sentence") == std::string_view::npos);
}

TEST_CASE("a key file is 32 bytes or 64 digits that only its owner may read") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "key";
  put_content(path, as_bytes("00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n"));
  CHECK_THROWS_AS(BackupKey::from_file(path), DeniedError);
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  CHECK(to_hex(BackupKey::from_file(path).secret().reveal()) ==
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  put_content(path, as_bytes("too short"));
  CHECK_THROWS_AS(BackupKey::from_file(path), ValidationError);
  put_content(path, as_bytes("31 bytes and no newline behind."));
  CHECK_THROWS_AS(BackupKey::from_file(path), ValidationError);
}

TEST_CASE("a key file of 32 bytes is a key whatever its last byte is") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "key";
  const std::string key = "31 bytes, and a newline as last\n";
  put_content(path, as_bytes(key));
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  CHECK(as_text(BackupKey::from_file(path).secret().reveal()) == key);
}

TEST_CASE("groups grow with the database, so that an index has at most 262,144 of them") {
  CHECK(group_pages_for(4096, 1) == 64);
  CHECK(group_pages_for(65536, 1) == 4);
  CHECK(group_pages_for(4096, 1U << 24U) == 64);
  CHECK(group_pages_for(4096, (1U << 24U) + 1) == 128);
  CHECK(group_pages_for(512, 0xFFFF'FFFEU) == 16384);
}
