// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/module.h"

#include "checks.h"
#include "commands.h"
#include "jobs.h"
#include "records.h"

namespace nerve::workspace {

using namespace std::chrono_literals;

const Module definition{
    .name = "workspace",
    .description = "what each store knows of its workspace, and messages between the stores",
    .version = "0.2.0",
    .placement = Placement::both,
    .records = {&store_identities, &outbox_topics, &outbox_messages, &outbox_receipts, &orphan_references},
    .checks = {{"cross_store.references", &check_references},
               {"outbox.dead_letters", &check_dead_letters},
               {"outbox.backlog", &check_backlog}},
    .jobs = {{.name = "outbox-drain",
              .description = "carries messages from each store to the other",
              .interval = 1min,
              .run = &drain_outbox},
             {.name = "orphan-sweep",
              .description = "finds references to the other store whose record is gone",
              .interval = 24h,
              .run = &sweep_orphans},
             {.name = "outbox-purge",
              .description = "removes messages and receipts 30 days after delivery",
              .interval = 24h,
              .run = &purge_outbox}},
    .commands = &commands};

}  // namespace nerve::workspace
