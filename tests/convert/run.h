// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/temp_folder.h"

#include "nerve/convert/convert.h"
#include "nerve/core/progress.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace nerve::test {

/// Writes a file, over what it held.
void write(const std::filesystem::path& file, std::string_view text);

/// A source and a new, empty target, a database of the shared server.
struct Run {
  /// `script` is of SQLite, and makes the source.
  Run(std::string_view database, std::string_view script);

  /// Writes the rules file and names it in the options.
  void rules(std::string_view text);
  convert::ConvertReport convert(ProgressSink* progress = nullptr) const;

  /// On the target.
  void execute(const std::string& sql) const;
  std::string text(const std::string& sql) const;
  /// Lets the server end each statement of a kind ("CREATE INDEX") as a timeout would, until heal().
  void fail_at(const std::string& command) const;
  void heal() const;
  bool has_ledger() const;
  bool has_rejects() const;

  TempFolder scratch;
  std::filesystem::path source = scratch / "source.db";
  std::string url;
  convert::ConvertOptions options;
};

}  // namespace nerve::test
