// SPDX-License-Identifier: Apache-2.0
// Goal: no damage whatever makes salvage crash, run for ever or invent rows. Method: bytes at random places
// of a small database are changed, whole pages replaced, pointers bent into circles, each from a fixed seed;
// then the rows of the new database are compared with those before the damage.
#include "backups/salvage_scene.h"
#include "support/effort.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>

namespace {

using namespace nerve::test;
using nerve::backups::SalvageReport;

constexpr std::array<const char*, 3> tables = {"letters", "words", "blobs"};

struct Outcome {
  std::size_t wrong = 0;    ///< rows in a table that were never there
  std::size_t missing = 0;  ///< rows that are not in their table any more
  std::size_t kept = 0;     ///< rows in lost_and_found
};

class RandomDamage {
 public:
  explicit RandomDamage(const std::string& pragmas) {
    scene_.make_letters(150, "PRAGMA page_size=512;" + pragmas);
    bytes_ = scene_.bytes();
    for (const char* table : tables) before_[table] = rows_of(scene_.database(), table);
  }

  const std::string& bytes() const noexcept { return bytes_; }
  const SalvageScene& scene() const noexcept { return scene_; }

  std::optional<SalvageReport> salvage(const std::string& damaged) const {
    scene_.write_bytes(damaged);
    try {
      return scene_.salvage();
    } catch (const nerve::IntegrityError&) {
      return std::nullopt;  // nothing in it looks like a database any more
    }
  }

  Outcome outcome(const SalvageReport& report) const {
    Outcome outcome;
    outcome.kept = report.lost_and_found_rows();
    for (const char* table : tables) {
      const RowsByKey after = rows_of(scene_.target(), table);
      const RowsByKey& before = before_.at(table);
      outcome.wrong += count_wrong(before, after);
      for (const auto& [key, row] : before) outcome.missing += after.contains(key) ? 0 : 1;
    }
    return outcome;
  }

 private:
  SalvageScene scene_;
  std::string bytes_;
  std::map<std::string, RowsByKey> before_;
};

std::string flipped(std::string bytes, std::size_t first, int flips, std::mt19937& random) {
  for (int flip = 0; flip < flips; ++flip) {
    const std::size_t place = first + random() % (bytes.size() - first);
    bytes[place] = static_cast<char>(bytes[place] ^ static_cast<char>(1 + random() % 255));
  }
  return bytes;
}

const unsigned int seed_count = scaled(200U, 1000U);

}  // namespace

TEST_CASE("bytes that are changed make at most as many rows wrong, and lose no others") {
  const RandomDamage damage({});
  // Behind the schema, where each byte belongs to one row or one page.
  const std::size_t first = damage.scene().page_size();
  for (unsigned int seed = 0; seed < seed_count; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const int flips = 1 + static_cast<int>(seed % 4);
    const auto report = damage.salvage(flipped(damage.bytes(), first, flips, random));
    REQUIRE(report);
    const Outcome outcome = damage.outcome(*report);
    CHECK(outcome.wrong <= static_cast<std::size_t>(flips));
    CHECK(outcome.missing <= outcome.kept + static_cast<std::size_t>(flips));
  }
}

TEST_CASE("no noise in the header, the schema or anywhere else makes salvage crash or run for ever") {
  for (const char* pragmas : {"", "PRAGMA auto_vacuum=FULL;", "PRAGMA encoding='UTF-16le';"}) {
    const RandomDamage damage(pragmas);
    for (unsigned int seed = 0; seed < 60; ++seed) {
      CAPTURE(pragmas);
      CAPTURE(seed);
      std::mt19937 random(seed);
      std::string bytes = damage.bytes();
      if (seed % 3 == 0) {
        bytes = flipped(bytes, 0, 200, random);
      } else if (seed % 3 == 1) {
        bytes = flipped(bytes.substr(0, 512), 0, 12, random) + bytes.substr(512);
      } else {
        for (int page = 0; page < 8; ++page) {
          const std::size_t from = random() % (bytes.size() / 512);
          const std::size_t to = random() % (bytes.size() / 512);
          bytes.replace(to * 512, 512, std::string(bytes, from * 512, 512));
        }
      }
      damage.salvage(bytes);
    }
  }
}

TEST_CASE("pages that lead to themselves, to each other and to rows of others end, and give no row twice") {
  const RandomDamage damage({});
  const SalvageScene& scene = damage.scene();
  const std::uint32_t root = scene.root("letters");
  const auto big_endian = [](std::uint32_t number) {
    std::string octets;
    for (int shift = 24; shift >= 0; shift -= 8)
      octets += static_cast<char>(number >> static_cast<unsigned int>(shift));
    return octets;
  };
  const auto leaf = scene.pages("letters", "leaf").at(2);
  const auto overflow = scene.pages("blobs", "overflow").at(0);
  const std::array<std::uint32_t, 6> targets = {root, 1, leaf, scene.root("words"), overflow, 0xfffffffe};
  for (const std::uint32_t target : targets) {
    CAPTURE(target);
    // The right-most child of the root, and the next page of an overflow chain.
    std::string bytes = damage.bytes();
    bytes.replace((root - 1) * 512 + 8, 4, big_endian(target));
    bytes.replace((overflow - 1) * 512, 4, big_endian(target));
    const auto report = damage.salvage(bytes);
    REQUIRE(report);
    const Outcome outcome = damage.outcome(*report);
    CHECK(outcome.wrong == 0);
    CHECK(outcome.missing <= outcome.kept);
    CHECK_FALSE(report->is_complete());
  }
}
