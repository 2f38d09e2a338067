// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/clock.h"
#include "nerve/db/database.h"
#include "nerve/events.h"

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace nerve {

class Module;

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

/// A store that is open, with what services need beside it. Borrows all of it; cheap to copy.
struct OpenStore {
  Store id;
  db::Database& database;
  const DomainEvents& events;  ///< of the modules that are in this store
  const Clock& clock;
};

/// The stores of one workspace as modules see them. Not safe for several threads; the databases are.
class Stores {
 public:
  Stores() = default;
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;
  virtual ~Stores() = default;

  /// Opened when it is first asked for.
  ///
  /// Throws what opening a database throws; IntegrityError for a store of another workspace or in the place
  /// of the other one, NotFoundError for a database that is no store; an Error of the kind pending_migrations
  /// while its schema is behind the program.
  virtual OpenStore store(Store store) = 0;
  /// Every module of the program, each after those it depends on.
  virtual std::span<const Module* const> modules() const = 0;
  /// Runs `work` while nobody else, in any process, runs something else this way in this workspace. Throws
  /// Error of the kind unavailable without waiting where somebody does.
  virtual void run_exclusively(const std::function<void()>& work) = 0;
};

}  // namespace nerve

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<Store>[] = {"core", "secure"};

}  // namespace nerve::db
