// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate new
#include "migrate_commands.h"
#include "new_file.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/db/identifier.h"
#include "nerve/migrations/migration_set.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace nerve::cli {

namespace {

constexpr std::string_view content = R"(-- description: {0}

-- migrate:up


-- migrate:down

)";

std::string require_name(const std::string& name, const std::string& what) {
  try {
    return db::Identifier(name).name();
  } catch (const ValidationError&) {
    throw ValidationError(
        fmt::format("\"{}\" is no name for a {}", name, what),
        "Use lower-case letters, digits and underscores, beginning with a letter: add_users.");
  }
}

int next_number(const std::filesystem::path& folder, const std::string& module) {
  int last = 0;
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return 1;
  const auto set = migrations::MigrationSet::from_folder(folder, {});
  for (const auto& migration : set.in_order()) {
    if (migration.reference.module == module) last = std::max(last, migration.reference.number);
  }
  return last + 1;
}

}  // namespace

int run_migrate_new(Context& context, const Arguments& arguments) {
  const std::filesystem::path root = arguments.text("--dir").value_or("migrations");
  const std::string name = require_name(*arguments.text("NAME"), "migration");
  std::filesystem::path folder = root;
  std::string module(migrations::MigrationSet::own_module);
  if (const auto named = arguments.text("--module")) folder /= module = require_name(*named, "module");
  const int number = next_number(root, module);
  if (number > migrations::Reference::number_max) {
    throw ConflictError(fmt::format("the module {} has no number left", module),
                        "Begin a new module with --module NAME.");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw DeniedError(fmt::format("cannot make the folder {}: {}", folder.string(), error.message()),
                      "Name another folder with --dir.");
  }
  const std::filesystem::path path = folder / fmt::format("{:04}_{}.sql", number, name);
  make_new_file(path, fmt::format(content, name));
  Output& output = context.output();
  if (output.wants_json()) {
    output.json({{"file", path.string()}, {"migration", migrations::Reference{module, number}.to_string()}});
  } else {
    output.line(path.string());
    output.note("write the SQL below -- migrate:up and its way back below -- migrate:down");
  }
  return 0;
}

}  // namespace nerve::cli
