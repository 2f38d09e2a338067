// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

/// The verbs of `nerve-db migrate`; migrate_command.cpp defines them.
namespace nerve::cli {

int run_migrate_status(Context& context, const Arguments& arguments);
int run_migrate_plan(Context& context, const Arguments& arguments);
int run_migrate_history(Context& context, const Arguments& arguments);
int run_migrate_up(Context& context, const Arguments& arguments);
int run_migrate_down(Context& context, const Arguments& arguments);
int run_migrate_baseline(Context& context, const Arguments& arguments);
int run_migrate_repair(Context& context, const Arguments& arguments);
int run_migrate_verify(Context& context, const Arguments& arguments);
int run_migrate_new(Context& context, const Arguments& arguments);

}  // namespace nerve::cli
