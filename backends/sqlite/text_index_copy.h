// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <cstddef>
#include <memory>
#include <string>

struct sqlite3;

namespace nerve::sqlite {

/// What a check of a copy has come to: at most one of the two is not empty.
struct CopyVerdict {
  std::string damage = {};
  std::string unchecked = {};  ///< why it could not be made
};

/// A database in memory with a copy of one full-text index. Its module checks an index only for a connection
/// that may write, by an INSERT that writes nothing.
class TextIndexCopy {
 public:
  /// Borrows the session. Throws Error without memory.
  explicit TextIndexCopy(Session& source);
  TextIndexCopy(const TextIndexCopy&) = delete;
  TextIndexCopy& operator=(const TextIndexCopy&) = delete;
  ~TextIndexCopy();

  /// Copies the own tables of the virtual table `name`, which the statement `sql` has made, and has them
  /// checked. Throws CancelledError, and the errors of Session but for damage.
  CopyVerdict check(const std::string& name, const std::string& sql);

 private:
  bool run(const std::string& sql);
  bool make(const std::string& sql);
  CopyVerdict copy_tables(const std::string& name);
  CopyVerdict copy_table(const std::string& table);
  std::string last_message() const;

  struct Close {
    void operator()(::sqlite3* connection) const noexcept;
  };

  Session& source_;
  std::unique_ptr<::sqlite3, Close> connection_;
  std::size_t copied_bytes_ = 0;
};

}  // namespace nerve::sqlite
