// SPDX-License-Identifier: Apache-2.0
#include "short_sha256.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace nerve::crypto {

namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_bytes = 8;

using State = std::array<std::uint32_t, 8>;
using Block = std::array<std::byte, block_bytes>;

// FIPS 180-4 §5.3.3: the fractional parts of the square roots of the first 8 primes.
constexpr State initial_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-4 §4.2.2: the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t read_big_endian(const std::byte* bytes) {
  std::uint32_t word = 0;
  for (int index = 0; index < 4; ++index) word = word << 8 | std::to_integer<std::uint32_t>(bytes[index]);
  return word;
}

template <typename Number>
void write_big_endian(Number number, std::byte* bytes) {
  for (std::size_t index = sizeof(number); index-- > 0; number >>= 8)
    bytes[index] = static_cast<std::byte>(number & 0xff);
}

std::array<std::uint32_t, 64> message_schedule(const std::byte* block) {
  std::array<std::uint32_t, 64> words{};
  for (std::size_t t = 0; t < 16; ++t) words[t] = read_big_endian(block + 4 * t);
  for (std::size_t t = 16; t < 64; ++t) {
    const std::uint32_t near = words[t - 2];
    const std::uint32_t far = words[t - 15];
    words[t] = (std::rotr(near, 17) ^ std::rotr(near, 19) ^ near >> 10) + words[t - 7] +
               (std::rotr(far, 7) ^ std::rotr(far, 18) ^ far >> 3) + words[t - 16];
  }
  return words;
}

/// FIPS 180-4 §6.2.2, with its names a to h.
void compress(State& state, const std::byte* block) {
  const std::array<std::uint32_t, 64> words = message_schedule(block);
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t t = 0; t < 64; ++t) {
    const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                             ((e & f) ^ (~e & g)) + round_constants[t] + words[t];
    const std::uint32_t t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const State added{a, b, c, d, e, f, g, h};
  for (std::size_t index = 0; index < state.size(); ++index) state[index] += added[index];
}

}  // namespace

Sha256Digest short_sha256(ByteView bytes) {
  State state = initial_state;
  const std::uint64_t length_bits = static_cast<std::uint64_t>(bytes.size()) * 8;
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes)) compress(state, bytes.data());

  // §5.1.1: a one bit, zeros, and the length in bits at the end of the last block.
  Block last{};
  if (!bytes.empty()) std::memcpy(last.data(), bytes.data(), bytes.size());
  last[bytes.size()] = std::byte{0x80};
  if (bytes.size() + 1 + length_bytes > block_bytes) {
    compress(state, last.data());
    last = {};
  }
  write_big_endian(length_bits, last.data() + block_bytes - length_bytes);
  compress(state, last.data());

  Sha256Digest digest{};
  for (std::size_t index = 0; index < state.size(); ++index)
    write_big_endian(state[index], digest.data() + 4 * index);
  return digest;
}

}  // namespace nerve::crypto
