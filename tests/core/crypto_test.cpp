// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/error.h"
#include "nerve/crypto/aead.h"
#include "nerve/crypto/kdf.h"
#include "nerve/crypto/mac.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace nerve;
using crypto::Aes256Gcm;

namespace {

Secret passphrase_of(std::string_view text) {
  return Secret::copy_of(as_bytes(text));
}

Aes256Gcm::Nonce nonce_of(std::string_view hex) {
  Aes256Gcm::Nonce nonce{};
  const Bytes bytes = from_hex(hex);
  REQUIRE(bytes.size() == nonce.size());
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

}  // namespace

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test cases 13, 14 and 16.
TEST_CASE("AES-256-GCM agrees with the vectors of its authors") {
  struct Vector {
    std::string_view key, nonce, associated, plaintext, sealed;
  };
  constexpr std::string_view zeros = "0000000000000000000000000000000000000000000000000000000000000000";
  constexpr std::string_view zero_nonce = "000000000000000000000000";
  const std::array vectors{
      Vector{zeros, zero_nonce, "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      Vector{zeros, zero_nonce, "", "00000000000000000000000000000000",
             "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      Vector{
          "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
          "feedfacedeadbeeffeedfacedeadbeefabaddad2",
          "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b1"
          "6aedf5aa0de657ba637b39",
          "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5"
          "f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"}};
  for (const Vector& vector : vectors) {
    Aes256Gcm cipher(from_hex(vector.key));
    const Bytes plaintext = from_hex(vector.plaintext);
    Bytes sealed;
    cipher.seal(nonce_of(vector.nonce), from_hex(vector.associated), plaintext, sealed);
    CHECK(to_hex(sealed) == vector.sealed);
    Bytes opened;
    CHECK(cipher.open(nonce_of(vector.nonce), from_hex(vector.associated), sealed, opened));
    CHECK(opened == plaintext);
  }
}

TEST_CASE("what was sealed opens only with the same nonce, associated bytes and ciphertext") {
  Aes256Gcm cipher(Bytes(32, std::byte{7}));
  const Aes256Gcm::Nonce nonce{};
  Bytes sealed;
  cipher.seal(nonce, as_bytes("head"), as_bytes("the text"), sealed);
  Bytes opened;
  for (std::size_t place = 0; place < sealed.size(); ++place) {
    Bytes altered = sealed;
    altered[place] ^= std::byte{1};
    CHECK_FALSE(cipher.open(nonce, as_bytes("head"), altered, opened));
    CHECK(opened.empty());
  }
  Aes256Gcm::Nonce other = nonce;
  other[11] = std::byte{1};
  CHECK_FALSE(cipher.open(other, as_bytes("head"), sealed, opened));
  CHECK_FALSE(cipher.open(nonce, as_bytes("heaD"), sealed, opened));
  CHECK_FALSE(cipher.open(nonce, as_bytes("head"), ByteView(sealed).first(15), opened));
  REQUIRE(cipher.open(nonce, as_bytes("head"), sealed, opened));
  CHECK(as_text(opened) == "the text");
  CHECK_THROWS_AS(Aes256Gcm(Bytes(16)), ValidationError);
}

TEST_CASE("HKDF-SHA256 agrees with RFC 5869, appendix A.1 and A.3") {
  const Bytes key(22, std::byte{0x0b});
  const Bytes info = from_hex("f0f1f2f3f4f5f6f7f8f9");
  CHECK(
      to_hex(crypto::hkdf_sha256(key, from_hex("000102030405060708090a0b0c"), as_text(info), 42).reveal()) ==
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(to_hex(crypto::hkdf_sha256(key, {}, {}, 42).reveal()) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  CHECK_THROWS_AS(crypto::hkdf_sha256(key, {}, {}, 8161), ValidationError);
}

TEST_CASE("scrypt agrees with RFC 7914, section 12") {
  CHECK(to_hex(crypto::scrypt(passphrase_of("password"), as_bytes("NaCl"), {10, 8, 16}, 64).reveal()) ==
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727"
        "afb9"
        "4a83ee6d8360cbdfa2cc0640");
  CHECK_THROWS_AS(crypto::scrypt(passphrase_of("password"), as_bytes("NaCl"), {0, 8, 1}, 32),
                  ValidationError);
  CHECK_THROWS_AS(crypto::scrypt(passphrase_of("password"), as_bytes("NaCl"), {30, 8, 1}, 32),
                  ValidationError);
}

TEST_CASE("HMAC-SHA-256 agrees with RFC 4231, test cases 1 and 2") {
  crypto::HmacSha256 first(Bytes(20, std::byte{0x0b}));
  CHECK(to_hex(first.update(as_bytes("Hi ")).update(as_bytes("There")).finish()) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  crypto::HmacSha256 second(as_bytes("Jefe"));
  CHECK(to_hex(second.update(as_bytes("what do ya want for nothing?")).finish()) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("a keyed hash is the beginning of the SHA-256 of key and message, each time anew") {
  crypto::KeyedHash hash(as_bytes("0123456789abcdef"));
  const crypto::Sha256Digest full = crypto::sha256(as_bytes("0123456789abcdefa page"));
  for (int round = 0; round < 3; ++round) {
    const crypto::KeyedHash::Digest digest = hash.of(as_bytes("a page"));
    CHECK(std::equal(digest.begin(), digest.end(), full.begin()));
  }
}
