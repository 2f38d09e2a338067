// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <filesystem>
#include <optional>

namespace nerve::db {

/// The file that carries a query log from one process to the next: {"nerve_query_log": 1, "statements":
/// [...]}.
///
/// Writers hold a lock on `FILE.lock` from reading to replacing, so that no count is lost between two
/// processes.
class QueryLogFile {
 public:
  /// Takes the lock, waiting for whoever has it.
  explicit QueryLogFile(std::filesystem::path file);
  QueryLogFile(const QueryLogFile&) = delete;
  QueryLogFile& operator=(const QueryLogFile&) = delete;
  ~QueryLogFile();

  std::optional<Json> read_locked() const;
  void replace(const Json& statements) const;
  void remove() const;

  /// The statements of a file. Throws NotFoundError, ValidationError.
  static Json read(const std::filesystem::path& file);
  static ValidationError not_a_log(const std::filesystem::path& file);

 private:
  std::filesystem::path file_;
  int lock_ = -1;
};

}  // namespace nerve::db
