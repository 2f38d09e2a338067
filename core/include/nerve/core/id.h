// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace nerve {

class Clock;
class Random;

/// 16 bytes as RFC 9562 defines them. Ordered by its bytes, which for version 7 is the order of time.
class Uuid {
 public:
  static constexpr std::size_t size_bytes = 16;
  static constexpr std::size_t text_length = 36;
  using Octets = std::array<std::byte, size_bytes>;

  constexpr Uuid() noexcept = default;  ///< the nil UUID
  explicit constexpr Uuid(const Octets& octets) noexcept : octets_(octets) {}

  /// Reads `8-4-4-4-12` hexadecimal digits in either case and nothing else (no braces, no `urn:uuid:`).
  /// Throws ValidationError, whose message holds nothing of `text`.
  static Uuid parse(std::string_view text);

  /// 36 characters, lower case.
  std::string to_string() const;

  constexpr const Octets& octets() const noexcept { return octets_; }
  constexpr bool is_nil() const noexcept { return *this == Uuid(); }
  constexpr int version() const noexcept { return std::to_integer<int>(octets_[6] >> 4); }

  /// When a version 7 was made, to the millisecond; nothing for other versions and for times after the year
  /// 9999.
  std::optional<Timestamp> timestamp() const noexcept;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) noexcept = default;

 private:
  Octets octets_{};
};

/// A Uuid that names a record of one kind. `Tag` is any type, usually an incomplete one: `using UserId =
/// Id<struct UserTag>;`.
template <class Tag>
class Id {
 public:
  static constexpr std::size_t short_length = 8;

  constexpr Id() noexcept = default;
  explicit constexpr Id(const Uuid& uuid) noexcept : uuid_(uuid) {}

  /// As Uuid::parse().
  static Id parse(std::string_view text) { return Id(Uuid::parse(text)); }

  std::string to_string() const { return uuid_.to_string(); }
  /// The last 8 characters, which are random (the first ones are time, and alike among neighbours).
  std::string short_text() const { return to_string().substr(Uuid::text_length - short_length); }
  constexpr const Uuid& uuid() const noexcept { return uuid_; }

  friend constexpr auto operator<=>(const Id&, const Id&) noexcept = default;

 private:
  Uuid uuid_;
};

/// Makes version 7 UUIDs (RFC 9562 §5.7), each greater than the one before.
///
/// Within one millisecond, and while the clock stands behind what it showed earlier, the 74 random bits count
/// up by a random step of 1 to 2^32 (§6.2 method 2, monotonic random). A new millisecond draws them anew,
/// with the highest one zero, which leaves room for at least 2^41 steps. Safe for many threads; generators of
/// different processes are not ordered among each other within a millisecond.
class IdGenerator {
 public:
  /// Borrows both. `random` is used under the generator's lock.
  IdGenerator(const Clock& clock, Random& random) noexcept : clock_(clock), random_(random) {}

  /// Throws Error where `random` does, and ValidationError while the clock shows a time before 1970.
  Uuid next();

 private:
  void reseed();
  void count_up();

  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::int64_t last_ms_ = -1;
  std::uint32_t random_high_ = 0;  // rand_a, 12 bits
  std::uint64_t random_low_ = 0;   // rand_b, 62 bits
};

/// A new version 7 UUID from the generator of the process, on the system's clock and random bytes.
Uuid new_uuid();

/// A new id of the kind `Tag`.
template <class Tag>
Id<Tag> new_id() {
  return Id<Tag>(new_uuid());
}

}  // namespace nerve

template <>
struct std::hash<nerve::Uuid> {
  std::size_t operator()(const nerve::Uuid& uuid) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(uuid.octets().data()), nerve::Uuid::size_bytes});
  }
};

template <class Tag>
struct std::hash<nerve::Id<Tag>> {
  std::size_t operator()(const nerve::Id<Tag>& id) const noexcept {
    return std::hash<nerve::Uuid>()(id.uuid());
  }
};
