// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/module.h"

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
        {.name = "outbox_messages", .retention = Retention{std::chrono::days(30), "delivered_at"}},
        {.name = "outbox_receipts",
         .key = {"message_id"},
         .retention = Retention{std::chrono::days(30), "received_at"}},
        {.name = "orphan_references", .key = {"table_name", "column_name", "missing_id"}},
    };
  }
};

}  // namespace

const Module& module() {
  static const WorkspaceModule module;
  return module;
}

}  // namespace nerve::workspace
