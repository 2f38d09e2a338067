// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/stand_ins.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace nerve::sqlite {

namespace {

void return_null(::sqlite3_context* context, int /*count*/, ::sqlite3_value** /*values*/) {
  ::sqlite3_result_null(context);
}

constexpr int any_count = -1;
constexpr int function_flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

/// The function that SQLite says it does not have; empty where it says something else.
std::string missed_function(std::string_view message) {
  constexpr std::array<std::string_view, 2> phrases = {"no such function: ", "unknown function: "};
  for (const std::string_view phrase : phrases) {
    const std::size_t found = message.find(phrase);
    if (found == std::string_view::npos) continue;
    const std::string_view rest = message.substr(found + phrase.size());
    return std::string(rest.substr(0, rest.find_first_of("(\n")));
  }
  return {};
}

}  // namespace

StandIns::StandIns(Session& session) : session_(session) {
  ::sqlite3_collation_needed(session_.handle(), this, &StandIns::add_collation);
}

StandIns::~StandIns() {
  ::sqlite3* connection = session_.handle();
  ::sqlite3_collation_needed(connection, nullptr, nullptr);
  for (const Collation& one : collations_)
    ::sqlite3_create_collation_v2(connection, one.name.c_str(), SQLITE_UTF8, nullptr, nullptr, nullptr);
  for (const std::string& name : functions_) {
    ::sqlite3_create_function_v2(connection, name.c_str(), any_count, function_flags, nullptr, nullptr,
                                 nullptr, nullptr, nullptr);
  }
}

void StandIns::add_collation(void* self, ::sqlite3* connection, int /*encoding*/, const char* name) {
  auto* owner = static_cast<StandIns*>(self);
  Collation& added = owner->collations_.emplace_back(Collation{name, owner});
  ::sqlite3_create_collation_v2(connection, name, SQLITE_UTF8, &added, &StandIns::compare, nullptr);
}

/// By octets. That it compares at all is noted, for its order is not that of the application.
int StandIns::compare(void* collation, int left_bytes, const void* left, int right_bytes, const void* right) {
  const auto* self = static_cast<const Collation*>(collation);
  self->owner->used_ = self;
  const std::string_view one(static_cast<const char*>(left), static_cast<std::size_t>(left_bytes));
  const std::string_view other(static_cast<const char*>(right), static_cast<std::size_t>(right_bytes));
  return one.compare(other);
}

std::string StandIns::take_used_collation() {
  const Collation* used = std::exchange(used_, nullptr);
  return used == nullptr ? std::string() : used->name;
}

void StandIns::run(const std::function<void()>& work) {
  for (;;) {
    try {
      return work();
    } catch (const DatabaseError& error) {
      if (!add_function_of(error.what()) && !forget_missing_of(error.what())) throw;
    }
  }
}

/// SQLite does not use an index any more once a statement lacked its collation, and finds no way then to read
/// a table that is one.
bool StandIns::forget_missing_of(const std::string& message) {
  if (has_read_schema_again_ || message.find("no query solution") == std::string::npos) return false;
  has_read_schema_again_ = true;
  session_.execute("PRAGMA writable_schema=RESET");
  return true;
}

bool StandIns::add_function_of(const std::string& message) {
  const std::string name = missed_function(message);
  if (name.empty() || !functions_.insert(name).second) return false;
  return ::sqlite3_create_function_v2(session_.handle(), name.c_str(), any_count, function_flags, nullptr,
                                      &return_null, nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace nerve::sqlite
