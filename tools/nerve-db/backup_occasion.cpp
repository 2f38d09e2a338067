// SPDX-License-Identifier: Apache-2.0
#include "backup_occasion.h"

#include "backup_hooks.h"
#include "backup_metrics.h"
#include "context.h"
#include "exit_codes.h"

#include <exception>

namespace nerve::cli {

namespace {

/// What ends the command is kept until everybody knows.
std::exception_ptr keep_failure(BackupOccasion& occasion) {
  try {
    throw;
  } catch (const Error& error) {
    occasion.error = error;
  } catch (const std::exception& unexpected) {
    occasion.error = error_from(unexpected);
  }
  occasion.exit_code = static_cast<int>(exit_code_of(occasion.error->kind()));
  return std::current_exception();
}

}  // namespace

int attend_backup(Context& context, const Arguments& arguments, BackupOccasion occasion,
                  const std::function<void(BackupOccasion&)>& make) {
  const BackupHooks hooks(context, arguments);
  const std::filesystem::path metrics = metrics_file(context, arguments);
  std::exception_ptr failure;
  try {
    hooks.run_before(occasion);
    make(occasion);
  } catch (const std::exception&) {
    failure = keep_failure(occasion);
  }
  // Both are asked, whatever becomes of the other.
  const bool is_measured = metrics.empty() || write_metrics(context.output(), metrics, occasion);
  const bool is_heard = hooks.run_after(occasion);
  if (failure) std::rethrow_exception(failure);
  return static_cast<int>(is_measured && is_heard ? ExitCode::ok : ExitCode::partial);
}

}  // namespace nerve::cli
