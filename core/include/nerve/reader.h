// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/soft_delete.h"
#include "nerve/db/transaction.h"
#include "nerve/page.h"
#include "nerve/record.h"
#include "nerve/scope.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve {

/// Which rows a read of records takes, beside its condition.
struct Selection {
  db::Visibility visibility = db::Visibility::live;  ///< of records that can be removed
  std::string_view order_by = "id";                  ///< columns, from the author of the statement
  std::int64_t limit = page_limit_max;
};

/// A record with the tenant it belongs to.
template <class R>
struct Owned {
  TenantId tenant;
  R record;
};

/// A record as values in the order of its fields, which own their octets.
using RecordValues = std::vector<db::Value>;

/// What a list asks for.
struct ListQuery {
  struct Equal {
    const Field* field;
    db::Value value;
  };
  std::int64_t limit = page_limit_default;
  std::optional<Uuid> after = std::nullopt;  ///< the cursor: `next` of the page before
  const Field* sort = nullptr;               ///< absent: by id, which is the order in which they were made
  bool is_descending = false;
  std::vector<Equal> where = {};
  db::Visibility visibility = db::Visibility::live;
};

/// A statement that names a table of tenants and binds no tenant says why; tools/check-scope looks for it.
constexpr std::string_view across_tenants(std::string_view /*reason*/, std::string_view sql) noexcept {
  return sql;
}

/// A transaction as the code of modules sees it: what it reads is bounded by a scope.
///
/// Of a tenant-owned record only the rows of the scope's tenant are there; core adds the condition. In
/// statements of one's own a parameter `:tenant` is bound to that tenant. On PostgreSQL row-level security
/// holds the same wall. A scope of the whole workspace sees no row of any tenant. `condition` is always text
/// of the statement's author with named parameters.
///
/// It lives inside the closure only, and is used by one thread.
class Reader {
 public:
  Reader(db::Transaction& transaction, const Scope& scope, Timestamp now)
      : transaction_(transaction),
        scope_(scope),
        tenant_text_(scope.reach == Reach::tenant ? scope.tenant.to_string() : std::string()),
        now_(now) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;

  const Scope& scope() const noexcept { return scope_; }
  /// When the transaction began.
  Timestamp now() const noexcept { return now_; }

  /// The record with this key.
  template <class R, class Key>
  std::optional<R> find(const Record<R>& record, const Key& key,
                        db::Visibility visibility = db::Visibility::live) {
    return first(record, {.key = db::Parameter("key", key).value, .visibility = visibility});
  }
  /// The same; throws NotFoundError, which says so where the record was removed.
  template <class R, class Key>
  R require(const Record<R>& record, const Key& key) {
    if (auto found = first(record, required(db::Parameter("key", key).value))) return std::move(*found);
    throw_missing(record, db::Parameter("key", key).value);
  }
  /// The first that keeps a condition.
  template <class R>
  std::optional<R> find_where(const Record<R>& record, std::string_view condition, db::Parameters parameters,
                              db::Visibility visibility = db::Visibility::live) {
    return first(record, {.condition = condition, .parameters = parameters, .visibility = visibility});
  }
  template <class R>
  std::vector<R> select(const Record<R>& record, std::string_view condition, db::Parameters parameters,
                        const Selection& selection = {}) {
    std::vector<R> rows;
    read_rows(record, request(condition, parameters, selection),
              [&](std::span<const db::Cell> cells) { rows.push_back(record.read(cells)); });
    return rows;
  }
  /// The same with the tenants of the rows, for a scope of all tenants.
  template <class R>
  std::vector<Owned<R>> select_owned(const Record<R>& record, std::string_view condition,
                                     db::Parameters parameters, const Selection& selection = {}) {
    return owned(record, request(condition, parameters, selection));
  }
  std::int64_t count(const RecordType& record, std::string_view condition = "TRUE",
                     db::Parameters parameters = {}, db::Visibility visibility = db::Visibility::live);
  bool exists(const RecordType& record, std::string_view condition, db::Parameters parameters,
              db::Visibility visibility = db::Visibility::live);

  /// The id of the record that people mean: by its natural key, its whole id, or at least 8 characters of the
  /// end of it; removed ones too. Throws NotFoundError that names what is near, ConflictError where several
  /// ids end so.
  Uuid find_id(const RecordType& record, std::string_view text);
  /// A record without its C++ type.
  std::optional<RecordValues> find_values(const RecordType& record, const Uuid& id);
  /// A page of a list.
  Page<RecordValues, Uuid> list(const RecordType& record, const ListQuery& query);

  // Statements of one's own. Where a table is tenant-owned they bind `:tenant`, or stand in across_tenants(),
  // which says why they do not.

  template <class... Columns, class OnRow>
  std::int64_t each(std::string_view sql, db::Parameters parameters, OnRow&& on_row) {
    const BoundParameters bound(*this, sql, parameters);
    return transaction_.each<Columns...>(sql, bound.all(), std::forward<OnRow>(on_row));
  }
  template <class... Columns>
  std::optional<db::Row<Columns...>> maybe(std::string_view sql, db::Parameters parameters = {}) {
    const BoundParameters bound(*this, sql, parameters);
    return transaction_.maybe<Columns...>(sql, bound.all());
  }
  template <class... Columns>
  db::Row<Columns...> one(std::string_view sql, db::Parameters parameters = {}) {
    const BoundParameters bound(*this, sql, parameters);
    return transaction_.one<Columns...>(sql, bound.all());
  }

  db::Dialect dialect() const noexcept { return transaction_.dialect(); }
  /// For what the port alone can do. Nothing bounds it but row-level security.
  db::Transaction& transaction() noexcept { return transaction_; }

 protected:
  enum class Lock : std::uint8_t { none, stay, change };

  struct Request {
    std::optional<db::Value> key = std::nullopt;
    std::string_view condition = {};
    db::Parameters parameters = {};
    db::Visibility visibility = db::Visibility::live;
    std::string_view order_by = {};
    std::int64_t limit = 0;  ///< 0: without
    Lock lock = Lock::none;
    bool reads_tenant = false;
  };

  /// The parameters of a statement with `:tenant` added where it has one.
  class BoundParameters {
   public:
    BoundParameters(const Reader& reader, std::string_view sql, db::Parameters given);
    db::Parameters all() const noexcept { return is_extended_ ? db::Parameters(extended_) : given_; }

   private:
    db::Parameters given_;
    std::vector<db::Parameter> extended_;
    bool is_extended_ = false;
  };

  /// How require() reads: a Change locks the row.
  virtual Request required(db::Value key) const { return {.key = std::move(key)}; }
  [[noreturn]] void throw_missing(const RecordType& record, const db::Value& key);
  /// Hears of a look for a record that is not there.
  virtual void note_missing(const RecordType& /*record*/, const db::Value& /*key*/) {}

  template <class R>
  std::optional<R> first(const Record<R>& record, const Request& asked) {
    std::optional<R> found;
    read_rows(record, asked, [&](std::span<const db::Cell> cells) {
      if (!found) found = record.read(cells);
    });
    return found;
  }
  template <class R>
  std::vector<Owned<R>> owned(const Record<R>& record, Request asked) {
    std::vector<Owned<R>> rows;
    asked.reads_tenant = true;
    read_rows(record, asked, [&](std::span<const db::Cell> cells) {
      rows.push_back({db::Codec<TenantId>::decode(cells.front()), record.read(cells.subspan(1))});
    });
    return rows;
  }
  static Request request(std::string_view condition, db::Parameters parameters, const Selection& selection) {
    return {.condition = condition,
            .parameters = parameters,
            .visibility = selection.visibility,
            .order_by = selection.order_by,
            .limit = selection.limit};
  }
  void read_rows(const RecordType& record, const Request& asked,
                 const std::function<void(std::span<const db::Cell>)>& on_row);
  /// The command that shows what there is, as a sentence for hints; empty for a record without commands.
  static std::string see_list(const RecordType& record);
  /// Ends a WHERE clause with what bounds the record, and adds the parameters of that.
  void bound(const RecordType& record, db::Visibility visibility, std::string& sql,
             std::vector<db::Parameter>& parameters) const;

  db::Transaction& transaction_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
  const Scope& scope_;            // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)

 private:
  /// The tenant as it is bound; lives as long as the reader.
  db::Parameter tenant_parameter() const {
    return {"tenant", scope_.reach == Reach::tenant ? db::Value::borrowed_text(tenant_text_) : db::Value()};
  }

  std::string tenant_text_;
  Timestamp now_;
};

}  // namespace nerve
