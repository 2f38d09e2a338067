// SPDX-License-Identifier: Apache-2.0
// nerve-db status
#include "command.h"
#include "context.h"

#include "nerve/backups/repository.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/tenancy/tenants.h"
#include "nerve/workspace/store_status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

using nerve::workspace::StoreStatus;

struct StoreLine {
  Store store;
  StoreStatus status;
  std::optional<Timestamp> last_backup_at;
};

/// Of a store that is a file, in the repository of the workspace. A repository that cannot be read has none.
std::optional<Timestamp> last_backup(Context& context, const StoreStatus& status) {
  if (status.engine != db::Dialect::sqlite) return std::nullopt;
  try {
    const auto repository = backups::Repository::open(context.config().path("backup.repository"));
    const auto manifest = repository.newest_of(status.name);
    return manifest ? std::optional(manifest->created_at) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::int64_t> tenant_count(nerve::workspace::Workspace& workspace, const StoreStatus& core) {
  if (core.pending > 0 || !core.problem.empty()) return std::nullopt;
  return workspace.store(Store::core).read(Scope(), [](Reader& reader) {
    return reader.count(tenancy::tenants);
  });
}

Json store_json(const StoreLine& line) {
  return {{"store", to_string(line.store)},
          {"database", line.status.name},
          {"engine", db::to_string(line.status.engine)},
          {"size_bytes", line.status.size_bytes},
          {"applied", line.status.applied},
          {"pending", line.status.pending},
          {"last_migration", line.status.last_migration},
          {"problem", line.status.problem},
          {"last_backup_at", line.last_backup_at ? Json(line.last_backup_at->to_text()) : Json()}};
}

TableCell pending_cell(const StoreStatus& status) {
  const std::string text = format_count(static_cast<std::int64_t>(status.pending));
  return {text, status.pending == 0 ? Style::good : Style::warning};
}

void show(Output& output, const nerve::workspace::Workspace& workspace, const std::vector<StoreLine>& lines,
          const std::optional<std::int64_t>& tenants) {
  output.key_values({{"workspace", workspace.folder().string()},
                     {"id", workspace.id()->to_string()},
                     {"tenants", tenants ? format_count(*tenants) : "not known"}});
  constexpr auto right = Column::Align::right;
  Table table{.columns = {{"STORE"},
                          {"ENGINE"},
                          {"SIZE", right},
                          {"SCHEMA"},
                          {"PENDING", right},
                          {"LAST BACKUP"},
                          {"DATABASE"}},
              .rows = {}};
  for (const StoreLine& line : lines) {
    const std::string backup = line.last_backup_at                         ? output.time(*line.last_backup_at)
                               : line.status.engine == db::Dialect::sqlite ? "none"
                                                                           : "by the server's own tools";
    table.rows.push_back({std::string(to_string(line.store)), std::string(db::to_string(line.status.engine)),
                          format_size(line.status.size_bytes), line.status.last_migration,
                          pending_cell(line.status), backup, line.status.name});
  }
  output.table(table);
  for (const StoreLine& line : lines) {
    if (!line.status.problem.empty()) output.warning(line.status.problem);
  }
}

int run_status(Context& context, const Arguments& /*arguments*/) {
  nerve::workspace::Workspace& workspace = context.open_workspace();
  std::vector<StoreLine> lines;
  for (const Store store : every_store) {
    StoreStatus status = nerve::workspace::describe(workspace, store);
    const auto backup = last_backup(context, status);
    lines.push_back({store, std::move(status), backup});
  }
  const auto tenants = tenant_count(workspace, lines.front().status);
  Output& output = context.output();
  if (!output.wants_json()) {
    show(output, workspace, lines, tenants);
    return 0;
  }
  Json stores = Json::array();
  for (const StoreLine& line : lines) stores.push_back(store_json(line));
  output.json({{"workspace", workspace.folder().string()},
               {"id", workspace.id()->to_string()},
               {"tenants", tenants ? Json(*tenants) : Json()},
               {"stores", std::move(stores)}});
  return 0;
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .summary = "show a workspace: its stores, their schema, and how much is in them",
          .example = "nerve-db status --workspace demo",
          .run = &run_status};
}

}  // namespace nerve::cli
