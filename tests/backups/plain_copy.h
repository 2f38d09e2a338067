// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/backup.h"

namespace nerve::test {

/// A backup that is an ordinary SQLite file.
inline const backups::BackupOptions plain_copy{.form = backups::Form::plain};

}  // namespace nerve::test
