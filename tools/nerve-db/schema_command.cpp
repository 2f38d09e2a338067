// SPDX-License-Identifier: Apache-2.0
// nerve-db schema export and schema doc
#include "command.h"
#include "context.h"

#include "nerve/core/json.h"
#include "nerve/migrations/schema_export.h"

#include <nlohmann/json.hpp>

namespace nerve::cli {

namespace {

migrations::Catalogue catalogue_of(Context& context) {
  const DatabaseUrl url = context.database();
  const auto database =
      context.open_for_reading(url.engine == db::Dialect::sqlite ? "sqlite:" + url.location : url.location);
  return database->read_definitions(
      [](db::Transaction& transaction) { return migrations::read_catalogue(transaction); });
}

int print(Context& context, std::string_view key, const std::string& text) {
  Output& output = context.output();
  if (output.wants_json()) {
    output.json({{std::string(key), text}});
  } else {
    output.text(text);
  }
  return 0;
}

int run_export(Context& context, const Arguments& /*arguments*/) {
  return print(context, "sql", to_sql(catalogue_of(context)));
}

int run_doc(Context& context, const Arguments& arguments) {
  const std::string title = arguments.text("--title").value_or("Schema");
  return print(context, "markdown", to_markdown(catalogue_of(context), title));
}

}  // namespace

Command schema_command() {
  return {.name = "schema",
          .summary = "write down what a schema is",
          .commands = {{.name = "export",
                        .summary = "print the schema as SQL that makes it again",
                        .description = "On PostgreSQL the schema that search_path names first.",
                        .options = {database_option()},
                        .example = "nerve-db schema export --db chinook.sqlite",
                        .run = &run_export},
                       {.name = "doc",
                        .summary = "print the tables, their columns, keys and references as Markdown",
                        .options = {database_option(),
                                    {.name = "--title",
                                     .value_name = "TEXT",
                                     .type = ArgumentType::text,
                                     .description = "heading of the document (default: Schema)"}},
                        .example = "nerve-db schema doc --db chinook.sqlite",
                        .run = &run_doc}},
          .example = "nerve-db schema export --db chinook.sqlite"};
}

}  // namespace nerve::cli
