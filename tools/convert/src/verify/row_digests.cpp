// SPDX-License-Identifier: Apache-2.0
#include "verify/row_digests.h"

#include "load/row_reader.h"
#include "values/canonical_row.h"
#include "verify/target_rows.h"

namespace nerve::convert {
namespace {

/// Takes rows that are on their way to nowhere.
class DigestSink final : public RowSink {
 public:
  explicit DigestSink(const OnDigest& on_digest) : on_digest_(on_digest) {}
  void row(ByteView whole, const RowDigest& digest) override { on_digest_(digest, whole); }
  void reject(const Reject& /*reject*/, const Json& /*whole*/) override {}

 private:
  const OnDigest& on_digest_;
};

}  // namespace

void each_source_digest(sqlite::Session& source, const TablePlan& table, const Range& range,
                        const OnDigest& on_digest) {
  DigestSink sink(on_digest);
  RowReader(table).read(source, range, sink);
}

void each_target_digest(postgresql::Session& target, const TablePlan& table, const std::string& schema,
                        const BlockRange& blocks, const OnDigest& on_digest) {
  RowDigester digester(table.columns);
  each_target_row(target, copy_out_sql(table, schema, blocks),
                  [&](ByteView row) { on_digest(digester(row), row); });
}

}  // namespace nerve::convert
