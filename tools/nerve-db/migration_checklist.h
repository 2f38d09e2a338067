// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"
#include "migrate_target.h"

#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <string>
#include <vector>

namespace nerve::cli {

/// What is done before and after a change of a schema, so that nobody has to think of it: the maintenance
/// window, health, a backup, the notifier before; health and the notifier after.
class MigrationChecklist {
 public:
  /// Throws what require_window throws, where --window is given.
  MigrationChecklist(Context& context, const Arguments& arguments, const MigrationTarget& target);

  /// Warns of what is wrong with the place of the database. Throws IntegrityError for one that is damaged,
  /// and what a backup that fails throws: then nothing has been changed.
  void before(const std::vector<migrations::Step>& steps);
  /// Throws IntegrityError, naming the backup, when the database is damaged now.
  void after(const std::vector<migrations::StepResult>& results);
  void failed(const std::string& reason);

 private:
  /// Says what lint finds; whoever runs it has decided.
  void warn_of(const migrations::Migration& migration);
  /// The checks of SQLite that are critical, but for those to skip.
  std::vector<health::Check> critical_checks(health::Skipped skip) const;
  void warn_of_place();
  void require_sound(const std::string& moment);
  void make_backup();
  void tell(const std::string& event, const std::string& detail);

  Context& context_;
  const MigrationTarget& target_;
  bool wants_backup_;
  bool has_begun_ = false;
  std::vector<std::string> migrations_;
  std::string backup_id_;
  std::string restore_command_;
};

}  // namespace nerve::cli
