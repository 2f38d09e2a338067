// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

/// When schemas may be changed: some hours on some days of each week, in the time zone of the process.
///
/// Written "sat 22:00-04:00", "mon-fri 02:30-04:00" or "daily 03:00-04:00". One that ends before it begins
/// ends on the next day.
class MaintenanceWindow {
 public:
  /// Throws ValidationError for another form; `where` names the place of the text.
  static MaintenanceWindow parse(std::string_view text, const std::string& where);

  bool contains(Timestamp time) const;
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::array<bool, 7> days_{};  // from Sunday
  int begin_minute_ = 0;
  int end_minute_ = 0;
};

/// Throws DeniedError, naming the windows, when `now` is in none of them, and ValidationError when there is
/// none.
void require_window(const std::vector<std::string>& windows, const std::string& where, Timestamp now);

}  // namespace nerve::cli
