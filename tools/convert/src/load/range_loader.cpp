// SPDX-License-Identifier: Apache-2.0
#include "load/range_loader.h"

#include "load/reject_line.h"
#include "target/table_sql.h"
#include "values/row_buffer.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace nerve::convert {
namespace {

/// Rejects wait in memory for the end of COPY, which is ended early for their sake.
constexpr std::size_t rejects_bytes_max = 4 * 1024 * 1024;

/// Sends rows to the target by as many COPYs as the rejects ask for.
class CopySink final : public RowSink {
 public:
  CopySink(const LoadContext& context, const TablePlan& table, postgresql::Session& target, bool is_frozen)
      : context_(context),
        table_(table),
        target_(target),
        copy_sql_(copy_in_sql(table, context.plan.schema, is_frozen)) {}

  void rows(ByteView loaded, std::int64_t count) override {
    if (!is_copying_) begin();
    send(loaded);
    context_.rows_sent += count;
  }

  void reject(const Reject& reject, const Json& whole) override {
    if (!context_.may_reject) {
      throw ValidationError(
          fmt::format("a row of {} cannot be stored: {}", table_.source, to_string(reject.misfit)),
          "Name a file for the rows that are left out with --rejects FILE; the same command then goes on.");
    }
    rejects_.push_back(reject_line(table_, reject, whole));
    rejects_bytes_ += rejects_.back().size();
    if (rejects_bytes_ >= rejects_bytes_max) finish();
  }

  /// Ends the COPY and stores the rejects.
  void finish() {
    if (is_copying_) {
      RowBuffer trailer;
      trailer.trailer();
      send(trailer.view());
      stored_ += target_.end_copy();
      is_copying_ = false;
    }
    context_.ledger.add_rejects(target_, rejects_);
    rejects_.clear();
    rejects_bytes_ = 0;
  }

  std::int64_t stored() const noexcept { return stored_; }

 private:
  void begin() {
    target_.begin_copy(copy_sql_);
    RowBuffer header;
    header.header();
    send(header.view());
    is_copying_ = true;
  }
  void send(ByteView octets) {
    if (context_.is_stopped) throw CancelledError("another part of the conversion failed");
    target_.copy(octets);
    context_.bytes_sent += static_cast<std::int64_t>(octets.size());
  }

  const LoadContext& context_;
  const TablePlan& table_;
  postgresql::Session& target_;
  std::string copy_sql_;
  std::int64_t stored_ = 0;
  std::vector<std::string> rejects_;
  std::size_t rejects_bytes_ = 0;
  bool is_copying_ = false;
};

}  // namespace

RangeResult load_range(const LoadContext& context, const Range& range, sqlite::Session& source,
                       postgresql::Session& target, bool is_frozen) {
  const TablePlan& table = context.plan.tables[range.table];
  CopySink sink(context, table, target, is_frozen);
  const RangeResult result = RowReader(table).read(source, range, sink);
  sink.finish();
  if (sink.stored() != result.stored.rows) {
    throw IntegrityError("the server stored another number of rows of " + table.source + " than were sent",
                         "Look for a rule or trigger on the table " + table.target + ".");
  }
  context.ledger.add_range(target, table, range, result);
  return result;
}

}  // namespace nerve::convert
