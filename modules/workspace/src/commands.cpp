// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/record_command.h"
#include "nerve/workspace/outbox.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nerve::workspace {

namespace {

int run_retry(CommandContext& context, const Arguments& arguments) {
  const auto named = arguments.text("ID");
  if (named.has_value() == arguments.has("--all")) {
    throw ValidationError("it is not said which message is meant",
                          "Write its id, or --all for all dead ones.");
  }
  const OpenStore store = context.stores().store(store_from(arguments));
  const std::int64_t revived = store.change(context.scope(), [&](Change& change) {
    std::int64_t count = 1;
    if (!named) {
      count = revive_all(change);
    } else if (!revive(change, OutboxMessageId(change.find_id(outbox_messages, *named)))) {
      throw ConflictError("the message is not dead",
                          "`nerve-db outbox list --where state=dead` shows those.");
    }
    change.note("outbox_retry", {{"messages", count}});
    return count;
  });
  Output& output = context.output();
  if (output.wants_json()) {
    output.json({{"retried", revived}});
  } else {
    output.line(fmt::format("{} {} tried again by the next run of outbox-drain", format_count(revived),
                            revived == 1 ? "message will be" : "messages will be"));
  }
  return 0;
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> verbs;
  verbs.push_back({.name = "retry",
                   .summary = "let dead messages be tried again",
                   .operands = {{.name = "ID",
                                 .type = ArgumentType::text,
                                 .description = "id of a dead message, or its last 8 characters"}},
                   .options = {store_option(), {.name = "--all", .description = "all dead messages"}},
                   .example = "nerve-db outbox retry --all --workspace demo",
                   .run = &run_retry});
  return {record_command(
      outbox_messages,
      {.summary = "show and mend messages between the stores",
       .description =
           "What one store has to tell the other waits in its outbox until the job outbox-drain carries\n"
           "it over. A message that failed too often is dead: it waits for a person, and\n"
           "'nerve-db outbox list --where state=dead' shows it.",
       .verbs = {Verb::list},
       .more = std::move(verbs),
       .placement = Placement::both})};
}

}  // namespace nerve::workspace
