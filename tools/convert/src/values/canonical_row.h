// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/row_digest.h"

#include "nerve/convert/plan.h"
#include "nerve/core/bytes.h"

#include <vector>

namespace nerve::convert {

/// Digests rows in the format of binary COPY so that equal values give equal digests, whether the row is on
/// its way to the server or back from it. Only numeric has several forms of one value: the display scale is
/// left out.
///
/// Of the field's count and lengths each counts, so that no value moves into its neighbour unseen.
class RowDigester {
 public:
  /// `columns` are those of the row, in its order.
  explicit RowDigester(const std::vector<ColumnPlan>& columns);

  /// Throws IntegrityError for octets that are no row of so many fields.
  RowDigest operator()(ByteView row);

 private:
  std::vector<bool> is_numeric_;
  bool has_numeric_ = false;
  Bytes canonical_;
};

}  // namespace nerve::convert
