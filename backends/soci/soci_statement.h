// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soci/soci_include.h"

#include "nerve/db/connection.h"

#include <memory>
#include <span>
#include <vector>

namespace nerve::backends {

/// What both engines' statements share: SOCI prepares, executes and steps; each engine binds and reads
/// natively, because SOCI's own conversions cut integers, mistype columns and differ in bytes.
///
/// `Backend` is SOCI's statement backend of the engine, whose public members give the native handle.
template <class Backend>
class SociStatement : public db::PreparedStatement {
 public:
  SociStatement(const SociStatement&) = delete;
  SociStatement& operator=(const SociStatement&) = delete;
  /// SOCI's backend does not finalize in its destructor, and a connection with an open statement cannot be
  /// closed.
  ~SociStatement() override { backend_->clean_up(); }

  void expect(std::span<const db::ValueType> columns) override {
    require_column_count(columns.size());
    expected_.assign(columns.begin(), columns.end());
  }

  bool start() override {
    return stepping([this] { return backend_->execute(1); });
  }

  bool next() override {
    return stepping([this] { return backend_->fetch(1); });
  }

 protected:
  explicit SociStatement(soci::session& session)
      : backend_(static_cast<Backend*>(session.get_backend()->make_statement_backend())) {}

  Backend& backend() noexcept { return *backend_; }
  std::span<const db::ValueType> expected() const noexcept { return expected_; }

  virtual void require_column_count(std::size_t count) = 0;
  /// Throws what the engine's present error means. SOCI's own text is dropped: it holds bound values.
  [[noreturn]] virtual void throw_present_error() = 0;

 private:
  template <class Step>
  bool stepping(Step&& step) {
    try {
      return step() == soci::details::statement_backend::ef_success;
    } catch (const soci::soci_error&) {
      throw_present_error();
      __builtin_unreachable();  // the compiler does not trust [[noreturn]] of a virtual function
    }
  }

  std::unique_ptr<Backend> backend_;
  std::vector<db::ValueType> expected_;
};

/// The error for a value that is not of the type it was asked for.
[[noreturn]] void throw_wrong_type(std::size_t column, db::ValueType asked, std::string_view found);
/// The error for a statement that start_streaming() does not take.
[[noreturn]] void throw_not_a_query();
/// The error for a result whose number of columns is not the number that was asked for.
[[noreturn]] void throw_column_count(std::size_t asked, std::size_t found);

}  // namespace nerve::backends
