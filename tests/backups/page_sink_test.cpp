// SPDX-License-Identifier: Apache-2.0
#include "snapshot/page_sink.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using nerve::Bytes;
using nerve::ByteView;
using nerve::backups::PageSink;
using nerve::backups::SnapshotShape;
using nerve::backups::TakePage;
using std::filesystem::path;

/// Hands over pages 1 to 3 of 512 bytes to a sink, as the backup API should.
struct SinkScene {
  void write(std::uint32_t number) { sink.write(Bytes(512, std::byte(number)), (number - 1) * 512); }

  std::uint32_t taken = 0;
  SnapshotShape shape{.page_size_bytes = 512, .page_count = 3, .is_wal = true};
  Bytes first_page = Bytes(512, std::byte{1});
  path database = "app.db";
  TakePage take = [this](std::uint32_t number, ByteView) { taken = number; };
  PageSink sink{shape, first_page, take, database};
};

}  // namespace

TEST_CASE("the sink takes each page once, and page 1 whenever it comes") {
  SinkScene scene;
  SUBCASE("first") {
    for (const std::uint32_t number : {1U, 2U, 3U}) scene.write(number);
  }
  SUBCASE("last") {
    for (const std::uint32_t number : {2U, 3U, 1U}) scene.write(number);
  }
  scene.sink.finish();
  CHECK(scene.taken == 3);
  CHECK(scene.sink.size_bytes() == 3 * 512);
}

TEST_CASE("the sink refuses what the backup API should not do") {
  SinkScene scene;
  const auto refuses = [&](auto&& work, const char* defect) {
    CHECK_THROWS_WITH_AS(work(), doctest::Contains(defect), nerve::Error);
  };
  SUBCASE("a page left out") {
    refuses([&] { scene.write(3); }, "page 3 of app.db out of order");
  }
  SUBCASE("a page twice") {
    scene.write(2);
    refuses([&] { scene.write(2); }, "page 2 of app.db out of order");
  }
  SUBCASE("page 1 twice") {
    scene.write(1);
    refuses([&] { scene.write(1); }, "page 1 of app.db twice");
  }
  SUBCASE("a page behind the last") {
    refuses([&] { scene.write(4); }, "page 4 of app.db behind the last");
  }
  SUBCASE("two pages at once") {
    refuses([&] { scene.sink.write(Bytes(1024), 512); }, "page 2 of app.db with another size");
  }
  SUBCASE("half a page further") {
    refuses([&] { scene.sink.write(Bytes(512), 768); }, "page 2 of app.db with another size");
  }
  SUBCASE("an end before the last page") {
    scene.write(1);
    scene.write(2);
    refuses([&] { scene.sink.finish(); }, "page 3 of app.db not at all");
  }
  SUBCASE("no page 1") {
    scene.write(2);
    scene.write(3);
    refuses([&] { scene.sink.finish(); }, "page 1 of app.db not at all");
  }
}

TEST_CASE("the sink compares page 1 with the one that was read, but for what the backup API rewrites") {
  std::vector<std::size_t> rewritten;
  for (std::size_t place = 0; place < 512; ++place) {
    SinkScene scene;
    Bytes page = scene.first_page;
    page[place] = std::byte{9};
    try {
      scene.sink.write(page, 0);
      rewritten.push_back(place);
    } catch (const nerve::Error& error) {
      CHECK(std::string(error.what()).find("other than it was read") != std::string::npos);
    }
  }
  // Change counter and page count; schema cookie; version-valid-for and the library's version.
  const std::vector<std::size_t> expected = {24, 25, 26, 27, 28, 29, 30, 31, 40, 41,
                                             42, 43, 92, 93, 94, 95, 96, 97, 98, 99};
  CHECK(rewritten == expected);
}

TEST_CASE("the sink places pages beyond 4 GiB, and a lock page that is the last") {
  for (const std::uint32_t page_count : {70'000U, 16'385U}) {
    const SnapshotShape shape{.page_size_bytes = 65536, .page_count = page_count, .is_wal = true};
    const Bytes page(shape.page_size_bytes, std::byte{1});
    std::uint32_t last = 0;
    std::uint32_t zero_page = 0;
    const TakePage take = [&](std::uint32_t number, ByteView bytes) {
      last = number;
      if (bytes.front() == std::byte{0}) zero_page = number;
    };
    const path database = "app.db";
    PageSink sink(shape, page, take, database);
    for (std::uint64_t number = 1; number <= page_count; ++number) {
      if (number != shape.lock_page()) sink.write(page, (number - 1) * shape.page_size_bytes);
    }
    sink.finish();
    CHECK(last == page_count);
    CHECK(zero_page == 16'385);
  }
}
