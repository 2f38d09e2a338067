// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/events.h"
#include "nerve/reader.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace nerve {

class Change;

enum class Action : std::uint8_t { created, changed, removed, restored, noted, refused };

/// A field that holds another value now; sealed ones as they are stored.
struct FieldChange {
  const Field* field;
  db::Value before;
  db::Value after;
};

/// Something that happened in a transaction.
struct ChangeEntry {
  Action action = Action::noted;
  const RecordType* record = nullptr;             ///< absent in a note
  std::string key = {};                           ///< of the record, its columns separated by '/'
  std::optional<TenantId> tenant = std::nullopt;  ///< absent: the whole workspace
  std::vector<FieldChange> fields = {};           ///< of a new record, those that hold anything
  std::string_view name = {};                     ///< of an act that is no record change: "login"
  std::string details = {};                       ///< of that, JSON
};

/// What everything that happened is handed to, as the last statements before COMMIT in the same transaction;
/// what it throws undoes the change. Is not called for a transaction in which nothing happened.
using ChangeSink = void (*)(Change& change, std::span<const ChangeEntry> entries);

/// For whoever follows all changes: published for each entry, when it happens.
struct RecordChanged {
  const ChangeEntry& entry;
};

/// The write transaction of a service. It knows who acts for which tenant, writes the columns that core
/// keeps, and collects what happened.
///
///   Tenant Tenants::rename(const Scope& scope, const TenantId& id, std::string_view name) {
///     return store_.change(scope, [&](Change& change) {
///       const Tenant before = change.require(tenants, id);
///       Tenant after = before;
///       after.name = checked_name(name);
///       return change.update(tenants, before, after);
///     });
///   }
///
/// require() locks the row until the end of the transaction; hold() keeps others from changing it. Rows are
/// locked before what is done with them is decided. The closure may run twice: nothing of it escapes before
/// the commit.
class Change final : public Reader {
 public:
  Change(db::Transaction& transaction, const Scope& scope, Timestamp now, const DomainEvents& events)
      : Reader(transaction, scope, now), events_(events) {}

  /// The record with this key, which nobody changes or removes until the transaction ends. Throws
  /// NotFoundError.
  template <class R, class Key>
  R hold(const Record<R>& record, const Key& key) {
    const db::Value value = db::Parameter("key", key).value;
    if (auto found = first(record, {.key = value, .lock = Lock::stay})) return std::move(*found);
    throw_missing(record, value);
  }
  /// Like find(), and locks what it finds.
  template <class R, class Key>
  std::optional<R> find_locked(const Record<R>& record, const Key& key,
                               db::Visibility visibility = db::Visibility::live) {
    return first(record,
                 {.key = db::Parameter("key", key).value, .visibility = visibility, .lock = Lock::change});
  }
  template <class R>
  std::optional<R> find_where_locked(const Record<R>& record, std::string_view condition,
                                     db::Parameters parameters) {
    return first(record, {.condition = condition, .parameters = parameters, .lock = Lock::change});
  }

  template <class R>
  std::vector<Owned<R>> select_owned_locked(const Record<R>& record, std::string_view condition,
                                            db::Parameters parameters, const Selection& selection = {}) {
    Request asked = request(condition, parameters, selection);
    asked.lock = Lock::change;
    return owned(record, asked);
  }

  /// Adds a record; core gives it an id where it has none, and its times. Nothing where one of its unique
  /// keys is taken.
  template <class R>
  std::optional<R> try_insert(const Record<R>& record, R row) {
    if (!insert_row(record, &row)) return std::nullopt;
    return row;
  }
  /// The same; throws ConflictError that names the natural key.
  template <class R>
  R insert(const Record<R>& record, R row) {
    if (!insert_row(record, &row)) throw_taken(record, &row);
    return row;
  }
  /// Writes the fields in which `after` differs from `before`, and returns the record as it is then. Nothing
  /// happens where none does. Throws NotFoundError, Error for a change of a key or an immutable field.
  template <class R>
  R update(const Record<R>& record, const R& before, const R& after) {
    R row = after;
    update_row(record, record.values_in(&before), &row, std::nullopt);
    return row;
  }
  /// The same for a record of any tenant, in a scope of all tenants.
  template <class R>
  R update_owned(const Record<R>& record, const Owned<R>& before, const R& after) {
    R row = after;
    update_row(record, record.values_in(&before.record), &row, before.tenant);
    return row;
  }
  /// Adds the record, or gives the one with its key these values.
  template <class R>
  void put(const Record<R>& record, R row) {
    put_row(record, &row);
  }
  /// Marks a live record as removed; it can be restored. Throws NotFoundError.
  template <class R, class Key>
  R remove(const Record<R>& record, const Key& key) {
    return moved(record, db::Parameter("key", key).value, true);
  }
  /// Throws NotFoundError, ConflictError for a record that is not removed.
  template <class R, class Key>
  R restore(const Record<R>& record, const Key& key) {
    return moved(record, db::Parameter("key", key).value, false);
  }
  void remove_row(const RecordType& record, const db::Value& key) { move_row(record, key, true); }
  void restore_row(const RecordType& record, const db::Value& key) { move_row(record, key, false); }
  /// Sets an optional field of a record without its C++ type to NULL. Throws NotFoundError.
  void clear_field(const RecordType& record, const db::Value& key, const Field& field);

  /// Records an act that changes no record. `details` is JSON without secrets.
  void note(std::string_view name, const Json& details);
  /// The same for what is refused: it is recorded in a transaction of its own after this one was undone. To
  /// be followed by the throw of the error. Whatever DeniedError leaves the closure is recorded anyway.
  void note_refusal(std::string_view name, const Json& details);

  /// A typed event, heard at once by those who subscribed.
  template <class Event>
  void publish(const Event& event) {
    events_.publish(*this, event);
  }

  /// A statement of one's own; see Reader. What it changes is not recorded: note() it where it matters.
  std::int64_t execute(std::string_view sql, db::Parameters parameters = {}) {
    const BoundParameters bound(*this, sql, parameters);
    return transaction_.execute(sql, bound.all());
  }

  /// To be done after the closure, before the sink: what takes locks that others wait for, such as a message
  /// to the other store.
  void before_commit(std::function<void(Change&)> work) { last_.push_back(std::move(work)); }

  /// Runs `work()` so that its failure undoes only what it did, and what it recorded.
  template <class Work>
  auto savepoint(Work&& work) {
    const Mark mark = this->mark();
    try {
      return transaction_.savepoint(std::forward<Work>(work));
    } catch (...) {
      go_back_to(mark);
      throw;
    }
  }

  std::span<const ChangeEntry> refusals() const noexcept { return refusals_; }

  /// For OpenStore: what is left to do when the closure has returned.
  void finish(ChangeSink sink);

 private:
  struct Mark {
    std::size_t entries;
    std::size_t last;
  };

  Request required(db::Value key) const override { return {.key = std::move(key), .lock = Lock::change}; }
  void note_missing(const RecordType& record, const db::Value& key) override;
  [[noreturn]] void throw_taken(const RecordType& record, const void* row) const;

  bool insert_row(const RecordType& record, void* row);
  void update_row(const RecordType& record, std::span<const db::Value> before, void* row,
                  const std::optional<TenantId>& owner);
  void put_row(const RecordType& record, void* row);
  void move_row(const RecordType& record, const db::Value& key, bool is_removal);
  void complete(const RecordType& record, void* row) const;
  void read_again(const RecordType& record, void* row);
  void add(ChangeEntry entry);
  Mark mark() const noexcept { return {entries_.size(), last_.size()}; }
  void go_back_to(const Mark& mark) {
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(mark.entries), entries_.end());
    last_.erase(last_.begin() + static_cast<std::ptrdiff_t>(mark.last), last_.end());
  }

  template <class R>
  R moved(const Record<R>& record, const db::Value& key, bool is_removal) {
    move_row(record, key, is_removal);
    auto found = first(record, {.key = key, .visibility = db::Visibility::all});
    return std::move(*found);
  }

  const DomainEvents& events_;
  std::vector<ChangeEntry> entries_;
  std::vector<ChangeEntry> refusals_;
  std::vector<std::function<void(Change&)>> last_;
};

}  // namespace nerve

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<Action>[] = {"created",  "changed", "removed",
                                                          "restored", "noted",   "refused"};

}  // namespace nerve::db
