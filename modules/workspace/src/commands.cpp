// SPDX-License-Identifier: Apache-2.0
// nerve-db outbox list and retry
#include "commands.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/db/short_id.h"
#include "nerve/list_command.h"
#include "nerve/store.h"
#include "nerve/workspace/outbox_state.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace nerve::workspace {

namespace {

OpenStore store_from(CommandContext& context, const Arguments& arguments) {
  return context.stores().store(arguments.choice<Store>("--store").value_or(Store::core));
}

OutboxMessageId require_message(db::Transaction& transaction, const OpenStore& store, std::string_view text) {
  if (const auto id = db::find_id(transaction, "outbox_messages", text)) return OutboxMessageId(*id);
  db::throw_not_found(
      {.noun = "message",
       .text = text,
       .hint = fmt::format("`nerve-db outbox list --store {}` shows the ids.", to_string(store.id))});
}

Json message_json(const TrackedMessage& tracked) {
  const auto& [message, state, next_attempt_at, last_error, delivered_at] = tracked;
  return {{"id", message.id.to_string()},
          {"topic", message.topic},
          {"number", message.number},
          {"payload", parse_json(message.payload, "payload")},
          {"state", db::enum_text(state)},
          {"attempts", message.attempts},
          {"created_at", message.created_at.to_text()},
          {"next_attempt_at", state == MessageState::pending ? Json(next_attempt_at.to_text()) : Json()},
          {"delivered_at", delivered_at ? Json(delivered_at->to_text()) : Json()},
          {"last_error", last_error ? Json(*last_error) : Json()}};
}

int run_list(CommandContext& context, const Arguments& arguments) {
  const OpenStore store = store_from(context, arguments);
  const auto state = arguments.choice<MessageState>("--state").value_or(MessageState::dead);
  const auto page = store.database.read([&](db::Transaction& transaction) {
    std::optional<OutboxMessageId> after;
    if (const auto text = arguments.text("--after")) after = require_message(transaction, store, *text);
    return read_page(
        limit_from(arguments), [](const TrackedMessage& tracked) { return tracked.message.id; },
        [&](std::int64_t limit) { return list_messages(transaction, state, limit, after); });
  });
  Output& output = context.output();
  constexpr auto right = Column::Align::right;
  show_page<TrackedMessage>(
      output, page,
      {.name = "messages",
       .none = "no such message",
       .columns = {{"ID"}, {"TOPIC"}, {"NUMBER", right}, {"CREATED"}, {"ATTEMPTS", right}, {"LAST ERROR"}},
       .to_json = &message_json,
       .to_cells = [&](const TrackedMessage& tracked) {
         const OutboxMessage& message = tracked.message;
         return std::vector<TableCell>{message.id.short_text(),        message.topic,
                                       format_count(message.number),   output.time(message.created_at),
                                       format_count(message.attempts), tracked.last_error.value_or("")};
       }});
  return 0;
}

int run_retry(CommandContext& context, const Arguments& arguments) {
  const auto named = arguments.text("ID");
  if (named.has_value() == arguments.has("--all")) {
    throw ValidationError("it is not said which message is meant",
                          "Write its id, or --all for all dead ones.");
  }
  const OpenStore store = store_from(context, arguments);
  const std::int64_t revived = store.database.write([&](db::Transaction& transaction) {
    const Timestamp now = store.clock.now();
    if (!named) return revive_all(transaction, now);
    if (revive(transaction, require_message(transaction, store, *named), now)) return std::int64_t{1};
    throw ConflictError("the message is not dead", "`nerve-db outbox list` shows those that are.");
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

Argument store_option() {
  return {.name = "--store",
          .value_name = "STORE",
          .type = ArgumentType::choice,
          .description = "store that sends the messages: core or secure (default: core)",
          .choices = choices_of<Store>()};
}

Command list_command() {
  return {.name = "list",
          .summary = "list the messages of one state, oldest first",
          .options = {store_option(),
                      {.name = "--state",
                       .value_name = "STATE",
                       .type = ArgumentType::choice,
                       .description = "dead, pending or delivered (default: dead)",
                       .choices = choices_of<MessageState>()},
                      limit_option(),
                      after_option()},
          .example = "nerve-db outbox list --state pending --workspace demo",
          .run = &run_list};
}

}  // namespace

Command outbox_command() {
  return {.name = "outbox",
          .summary = "show and mend messages between the stores",
          .description =
              "What one store has to tell the other waits in its outbox until the job outbox-drain carries\n"
              "it over. A message that failed too often is dead: it waits for a person.",
          .commands = {list_command(),
                       {.name = "retry",
                        .summary = "let dead messages be tried again",
                        .operands = {{.name = "ID",
                                      .type = ArgumentType::text,
                                      .description = "id of a dead message, or its last 8 characters"}},
                        .options = {store_option(), {.name = "--all", .description = "all dead messages"}},
                        .example = "nerve-db outbox retry --all --workspace demo",
                        .run = &run_retry}},
          .example = "nerve-db outbox list --workspace demo"};
}

}  // namespace nerve::workspace
