// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/module.h"

#include "checks.h"
#include "commands.h"
#include "jobs.h"

namespace nerve::workspace {

namespace {

class WorkspaceModule final : public Module {
 public:
  std::string_view name() const noexcept override { return "workspace"; }
  std::string_view description() const noexcept override {
    return "what each store knows of its workspace, and messages between the stores";
  }
  std::string_view version() const noexcept override { return "0.1.0"; }
  Placement placement() const noexcept override { return Placement::both; }

  std::vector<TableFacts> tables() const override {
    return {
        {.name = "store_identity", .key = {"singleton"}, .change = Change::none},
        {.name = "outbox_topics", .key = {"topic"}},
        {.name = "outbox_messages", .retention = Retention{outbox_retention, "delivered_at"}},
        {.name = "outbox_receipts",
         .key = {"message_id"},
         .retention = Retention{outbox_retention, "received_at"}},
        {.name = "orphan_references", .key = {"table_name", "column_name", "missing_id"}},
    };
  }

  std::vector<ModuleCheck> checks() const override {
    return {{"cross_store.references", &check_references},
            {"outbox.dead_letters", &check_dead_letters},
            {"outbox.backlog", &check_backlog}};
  }

  std::vector<Job> jobs() const override {
    using namespace std::chrono_literals;
    return {{.name = "outbox-drain",
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
             .run = &purge_outbox}};
  }

  std::vector<Command> commands() const override { return {outbox_command()}; }
};

}  // namespace

const Module& module() {
  static const WorkspaceModule module;
  return module;
}

}  // namespace nerve::workspace
