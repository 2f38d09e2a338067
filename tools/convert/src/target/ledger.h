// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/range.h"
#include "load/row_reader.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::convert {

/// What identifies a conversion: if any of it differs, what was begun cannot be gone on with.
struct Identity {
  std::string schema;         ///< of the target
  std::string source;         ///< absolute path
  std::string source_digest;  ///< of its content
  std::string plan_digest;    ///< of the plan
};

/// A table of the target and the state of a source's table whose rows are sent into it.
struct SentTable {
  std::string target;
  std::string digest;
};

/// What the target knows of a conversion: which ranges and steps are done, and which values were rejected.
///
/// It is kept in tables of the schema nerve_convert, and each entry is written in the transaction that does
/// what it tells, so that after an abort at any moment it says what is there.
class Ledger {
 public:
  static constexpr std::string_view schema = "nerve_convert";

  explicit Ledger(Identity identity) : identity_(std::move(identity)) {}

  /// Has others who begin or take over a conversion in this database wait until the transaction ends.
  static void lock(postgresql::Session& session);

  /// Makes the tables where they are missing. Here and in what asks whether they are there, DeniedError is
  /// thrown where others can have put something into their schema.
  static void create_tables(postgresql::Session& session);
  static bool exists(postgresql::Session& session);
  /// Whether any conversion into the schema was begun and not ended.
  static bool has_begun(postgresql::Session& session, const std::string& target_schema);

  /// Whether this conversion was begun and not ended. Throws ConflictError where one of another source or by
  /// another plan was.
  bool may_go_on(postgresql::Session& session) const;
  /// What to do about a conversion that nobody wants to go on with; a hint.
  std::string how_to_give_up() const;
  void begin(postgresql::Session& session);
  /// Takes over what an earlier run has begun. Should that be at work still, or the server at its last
  /// statement, then the transaction at hand is waited for, and further ones are refused: nothing is done
  /// twice.
  void take_over(postgresql::Session& session);
  /// What a transaction begins with that makes a part: throws ConflictError where another run has taken over,
  /// and else has others wait until the transaction ends.
  void require_own(postgresql::Session& session) const;
  /// Forgets ranges and steps, which only a conversion under way needs, and keeps what was sent.
  void end(postgresql::Session& session, const std::vector<SentTable>& sent) const;
  /// Whether a conversion or an append that has ended, of whatever source, sent the same.
  bool was_sent(postgresql::Session& session, const SentTable& table) const;
  /// Forgets what was sent into the schema, because its tables are gone.
  void forget_sent(postgresql::Session& session) const;
  /// Forgets the conversion.
  void forget(postgresql::Session& session) const;

  void add_range(postgresql::Session& session, const TablePlan& table, const Range& range,
                 const RangeResult& result) const;
  /// `refusal` is why the server did not do it; empty where it did.
  void add_step(postgresql::Session& session, const std::string& step, const std::string& refusal) const;
  void add_rejects(postgresql::Session& session, const std::vector<std::string>& lines) const;

  /// The rows that a table had before an append; those that were told before no longer count.
  void set_before(postgresql::Session& session, const TablePlan& table, const DigestSum& rows) const;
  /// By the name of the source's table; empty where nothing was appended to.
  std::map<std::string, DigestSum> before(postgresql::Session& session) const;

  /// By the name of the source's table and the first rowid.
  using DoneRanges = std::map<std::pair<std::string, std::int64_t>, RangeResult>;
  DoneRanges done_ranges(postgresql::Session& session) const;
  /// With the refusal of each, empty where there was none.
  using DoneSteps = std::map<std::string, std::string>;
  DoneSteps done_steps(postgresql::Session& session) const;
  /// Lines of the rejects file, in no order.
  void each_reject(postgresql::Session& session, const std::function<void(std::string_view)>& on_line) const;

 private:
  Identity identity_;
  std::string run_;  ///< names the run that may write; another one has another name
};

}  // namespace nerve::convert
