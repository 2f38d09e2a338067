// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/codec.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace nerve {

/// The two databases of a workspace: the core store, and the secure one, which holds keys, certificates, card
/// data and their audit log. No statement ever sees both.
enum class Store : std::uint8_t { core, secure };

inline constexpr std::array every_store{Store::core, Store::secure};

/// "core" or "secure".
std::string_view to_string(Store store) noexcept;

constexpr Store other_store(Store store) noexcept {
  return store == Store::core ? Store::secure : Store::core;
}

/// Where the tables of a module are: in one store, or the same ones in each.
enum class Placement : std::uint8_t { core, secure, both };

/// "core", "secure" or "both".
std::string_view to_string(Placement placement) noexcept;

constexpr bool is_in(Placement placement, Store store) noexcept {
  return placement == Placement::both || (placement == Placement::core) == (store == Store::core);
}

}  // namespace nerve

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<Store>[] = {"core", "secure"};

}  // namespace nerve::db
