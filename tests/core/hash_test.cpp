// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/hash.h"

#include "crypto/short_sha256.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <fstream>
#include <string>
#include <vector>

namespace nerve::crypto {

namespace {

// The examples that NIST publishes for SHA-256 with FIPS 180-4, and its test vector of a million characters.
constexpr std::string_view empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view abc_hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view two_block_text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr std::string_view two_block_hash =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr std::string_view million_a_hash =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

std::string openssl_sha256(ByteView bytes) {
  Sha256Digest digest{};
  REQUIRE(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                     EVP_sha256(), nullptr) == 1);
  return to_hex(digest);
}

class RecordingSink final : public ProgressSink {
 public:
  void update(std::string_view phase, std::uint64_t done, std::uint64_t total) override {
    phase_ = phase;
    done_.push_back(done);
    total_ = total;
  }
  std::string phase_;
  std::vector<std::uint64_t> done_;
  std::uint64_t total_ = 0;
};

}  // namespace

TEST_CASE("SHA-256 of the FIPS 180-4 examples is what NIST publishes") {
  CHECK(to_hex(sha256({})) == empty_hash);
  CHECK(to_hex(sha256(as_bytes("abc"))) == abc_hash);
  CHECK(to_hex(sha256(as_bytes(two_block_text))) == two_block_hash);
}

TEST_CASE("SHA-256 of a million a is the same however it is cut into pieces") {
  const std::string text(1'000'000, 'a');
  for (const std::size_t piece : std::vector<std::size_t>{1'000'000, 65'537, 64, 63}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      hash.update(as_bytes(std::string_view(text).substr(at, piece)));
    }
    CHECK(to_hex(hash.finish()) == million_a_hash);
  }
}

TEST_CASE("a finished stream begins anew, whichever way it was computed") {
  Sha256 hash;
  hash.update(as_bytes("something else")).finish();
  CHECK(to_hex(hash.update(as_bytes("abc")).finish()) == abc_hash);
  CHECK(to_hex(hash.update(as_bytes(std::string(1'000'000, 'a'))).finish()) == million_a_hash);
  CHECK(to_hex(hash.update(as_bytes(two_block_text)).finish()) == two_block_hash);
}

TEST_CASE("SHA-256 is OpenSSL's at every length around the blocks, with and without OpenSSL") {
  std::string text(17'000, '\0');
  for (std::size_t index = 0; index < text.size(); ++index)
    text[index] = static_cast<char>(index * 167 + index / 251);
  std::vector<std::size_t> lengths{4095, 4096, 16'383, 16'384, 16'385, text.size()};
  for (std::size_t length = 0; length <= 260; ++length) lengths.push_back(length);
  for (const std::size_t length : lengths) {
    CAPTURE(length);
    const ByteView bytes = as_bytes(std::string_view(text).substr(0, length));
    const std::string expected = openssl_sha256(bytes);
    CHECK(to_hex(short_sha256(bytes)) == expected);
    CHECK(to_hex(sha256(bytes)) == expected);
    CHECK(to_hex(Sha256().update(bytes.first(length / 3)).update(bytes.subspan(length / 3)).finish()) ==
          expected);
  }
}

TEST_CASE("SHA-256 of many short texts stays right while OpenSSL takes over") {
  const std::string text(16'000, 'x');
  const std::string expected = openssl_sha256(as_bytes(text));
  for (int round = 0; round < 40; ++round) {
    CHECK(to_hex(sha256(as_bytes(text))) == expected);
    CHECK(to_hex(Sha256().update(as_bytes(text)).finish()) == expected);
  }
}

TEST_CASE("the digest of a file is that of its content, with progress up to its size") {
  const test::TempFolder folder;
  const auto path = folder / "million";
  std::ofstream(path) << std::string(1'000'000, 'a');
  RecordingSink sink;
  CHECK(to_hex(sha256_file(path, &sink)) == million_a_hash);
  CHECK(sink.phase_ == "hashing");
  CHECK(sink.total_ == 1'000'000);
  REQUIRE(sink.done_.size() > 1);
  CHECK(sink.done_.back() == 1'000'000);

  std::ofstream(folder / "empty").flush();
  CHECK(to_hex(sha256_file(folder / "empty")) == empty_hash);
}

TEST_CASE("a file that is missing or a folder is an error that names it") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(sha256_file(folder / "missing"), NotFoundError);
  CHECK_THROWS_WITH_AS(sha256_file(folder / "missing"),
                       ("file '" + (folder / "missing").string() + "' does not exist").c_str(),
                       NotFoundError);
  CHECK_THROWS_AS(sha256_file(folder.path()), Error);
}

}  // namespace nerve::crypto
