// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"

#include <string>
#include <string_view>

namespace nerve {

class Output;

/// A JSON document with one list, written as its items come, for a list that may be too long to be held:
/// {"results": [ … ], …}. What ends the work between the first item and finish() leaves a document without
/// its end.
class JsonList {
 public:
  /// Borrows `output`.
  JsonList(Output& output, std::string_view name);
  JsonList(const JsonList&) = delete;
  JsonList& operator=(const JsonList&) = delete;

  /// One item, on a line of its own.
  void add(const Json& item);
  /// Ends the list, and then the document with the fields of the object `more`.
  void finish(const Json& more);

 private:
  void begin();

  Output& output_;
  std::string name_;
  bool is_begun_ = false;
};

}  // namespace nerve
