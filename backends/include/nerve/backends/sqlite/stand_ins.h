// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>

struct sqlite3;

namespace nerve::sqlite {

class Session;

/// Collations and functions that only the application of a database has, for as long as the object lives: the
/// collations compare octets, the functions return NULL. So rows can be read and counted, since what is
/// stored does not depend on them. What compares or computes by them is not to be believed: the order of an
/// index, the parents of foreign keys, generated columns that are not stored.
class StandIns {
 public:
  /// Borrows the session. Nothing stands in before it is missed.
  explicit StandIns(Session& session);
  StandIns(const StandIns&) = delete;
  StandIns& operator=(const StandIns&) = delete;
  ~StandIns();

  /// Runs `work`, and again from its beginning for each function that was missed. Throws what it throws
  /// otherwise.
  void run(const std::function<void()>& work);

  /// The name of a collation by which SQLite has compared since it was asked for last: what was read
  /// meanwhile is not what the application would read. Empty where there is none.
  std::string take_used_collation();

 private:
  struct Collation {
    std::string name;
    StandIns* owner = nullptr;
  };

  static int compare(void* collation, int left_bytes, const void* left, int right_bytes, const void* right);
  static void add_collation(void* self, ::sqlite3* connection, int encoding, const char* name);
  bool add_function_of(const std::string& message);
  bool forget_missing_of(const std::string& message);

  Session& session_;
  std::deque<Collation> collations_;  // whose elements stay where they are
  const Collation* used_ = nullptr;
  std::set<std::string> functions_;
  bool has_read_schema_again_ = false;
};

}  // namespace nerve::sqlite
