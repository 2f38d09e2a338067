// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve {

/// What went wrong, in the terms a caller can act on. The command line maps each kind to one exit code
/// (docs/exit_codes.md).
enum class ErrorKind : std::uint8_t {
  failure,             ///< anything without a kind of its own
  invalid,             ///< input, an option or a configuration file is wrong
  not_found,           ///< what was named does not exist
  conflict,            ///< it exists already, is in use, or changed meanwhile
  denied,              ///< the system or a rule does not permit it
  integrity,           ///< data is damaged or was altered
  unavailable,         ///< a server, lock or resource cannot be had now; trying later may help
  unsupported,         ///< this version or engine cannot do it
  pending_migrations,  ///< the schema is behind the program
  drift,               ///< the schema is not what its migrations made
  partial,             ///< a part was done; the report says which
  cancelled,           ///< the user interrupted or declined
};

/// The name of a kind as JSON output spells it, such as "not_found".
std::string_view to_string(ErrorKind kind) noexcept;

/// Base of every exception that leaves a NERVE function.
///
/// `what()` is a lowercase message without a full stop that names the object; `hint()` is a sentence that
/// says what to do, or empty. Neither ever holds a bound value or a secret.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string hint = {})
      : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

/// What stands for an exception of another kind, such as one of the standard library: its type, never its
/// text, which may quote values. An Error stays what it is, without what derived classes add.
Error error_from(const std::exception& exception);

/// A database refused or failed. `code()` is the SQLSTATE on PostgreSQL and the extended result code's name
/// on SQLite (such as "SQLITE_CONSTRAINT_UNIQUE"); it is empty where neither applies.
class DatabaseError : public Error {
 public:
  DatabaseError(ErrorKind kind, const std::string& message, std::string hint = {}, std::string code = {})
      : Error(kind, message, std::move(hint)), code_(std::move(code)) {}

  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// The database cannot be reached, or the connection to it was lost before the work was committed.
class ConnectionError : public DatabaseError {
 public:
  explicit ConnectionError(const std::string& message, std::string hint = {}, std::string code = {},
                           ErrorKind kind = ErrorKind::unavailable)
      : DatabaseError(kind, message, std::move(hint), std::move(code)) {}
};

/// A transaction did not commit, or it is not known whether it did.
class TransactionError : public DatabaseError {
 public:
  enum class Outcome : std::uint8_t {
    rolled_back,  ///< nothing of it remains
    unknown,      ///< the connection was lost during COMMIT: look before trying again
  };

  TransactionError(Outcome outcome, const std::string& message, std::string hint = {}, std::string code = {},
                   ErrorKind kind = ErrorKind::unavailable)
      : DatabaseError(kind, message, std::move(hint), std::move(code)), outcome_(outcome) {}

  Outcome outcome() const noexcept { return outcome_; }

 private:
  Outcome outcome_;
};

/// One defect of an input: where it is, which rule it breaks, and what to do.
struct Violation {
  std::string field;    ///< a field, column, or "line 3, column 7"
  std::string rule;     ///< the rule's name, such as "required" or "max_length"
  std::string message;  ///< lowercase, without the offending value
};

/// Input breaks rules; `violations()` is the full list (never empty when thrown by the validators).
class ValidationError : public Error {
 public:
  explicit ValidationError(const std::string& message, std::string hint = {},
                           std::vector<Violation> violations = {})
      : Error(ErrorKind::invalid, message, std::move(hint)), violations_(std::move(violations)) {}

  const std::vector<Violation>& violations() const noexcept { return violations_; }

 private:
  std::vector<Violation> violations_;
};

/// What was named does not exist.
class NotFoundError : public Error {
 public:
  explicit NotFoundError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::not_found, message, std::move(hint)) {}
};

/// It exists already, is in use by somebody else, or changed since it was read.
class ConflictError : public Error {
 public:
  explicit ConflictError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::conflict, message, std::move(hint)) {}
};

/// The operating system or a rule does not permit it.
class DeniedError : public Error {
 public:
  explicit DeniedError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::denied, message, std::move(hint)) {}
};

/// Data is damaged or was altered.
class IntegrityError : public Error {
 public:
  explicit IntegrityError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::integrity, message, std::move(hint)) {}
};

/// This version, engine or build cannot do it.
class UnsupportedError : public Error {
 public:
  explicit UnsupportedError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::unsupported, message, std::move(hint)) {}
};

/// The user interrupted the work or answered no; what stood before still stands.
class CancelledError : public Error {
 public:
  explicit CancelledError(const std::string& message, std::string hint = {})
      : Error(ErrorKind::cancelled, message, std::move(hint)) {}
};

}  // namespace nerve
