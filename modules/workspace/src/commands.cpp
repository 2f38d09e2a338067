// SPDX-License-Identifier: Apache-2.0
// nerve-db outbox list and retry
#include "commands.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/db/short_id.h"
#include "nerve/store.h"
#include "nerve/workspace/outbox_state.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace nerve::workspace {

namespace {

constexpr std::int64_t limit_default = 50;
constexpr std::int64_t limit_max = 1000;

OpenStore store_from(CommandContext& context, const Arguments& arguments) {
  return context.stores().store(arguments.text("--store") == "secure" ? Store::secure : Store::core);
}

MessageState state_from(const Arguments& arguments) {
  const std::string wanted = arguments.text("--state").value_or("dead");
  if (wanted == "pending") return MessageState::pending;
  return wanted == "delivered" ? MessageState::delivered : MessageState::dead;
}

OutboxMessageId require_message(db::Transaction& transaction, const OpenStore& store, std::string_view text) {
  if (const auto id = db::find_id(transaction, "outbox_messages", text)) return OutboxMessageId(*id);
  throw NotFoundError(
      fmt::format("the outbox of the {} store has no message with this id", to_string(store.id)),
      "`nerve-db outbox list` shows the ids; --store names the other store.");
}

Json message_json(const TrackedMessage& tracked) {
  const auto& [message, state, next_attempt_at, last_error, delivered_at] = tracked;
  return {{"id", message.id.to_string()},
          {"topic", message.topic},
          {"number", message.number},
          {"payload", parse_json(message.payload, "payload")},
          {"state", db::enum_texts<MessageState>[static_cast<std::size_t>(state)]},
          {"attempts", message.attempts},
          {"created_at", message.created_at.to_text()},
          {"next_attempt_at", state == MessageState::pending ? Json(next_attempt_at.to_text()) : Json()},
          {"delivered_at", delivered_at ? Json(delivered_at->to_text()) : Json()},
          {"last_error", last_error ? Json(*last_error) : Json()}};
}

void show(Output& output, const std::vector<TrackedMessage>& messages, bool has_more) {
  if (output.wants_json()) {
    Json list = Json::array();
    for (const TrackedMessage& tracked : messages) list.push_back(message_json(tracked));
    output.json({{"messages", std::move(list)},
                 {"next", has_more ? Json(messages.back().message.id.to_string()) : Json()}});
    return;
  }
  if (messages.empty()) {
    output.note("no such message");
    return;
  }
  constexpr auto right = Column::Align::right;
  Table table{
      .columns = {{"ID"}, {"TOPIC"}, {"NUMBER", right}, {"CREATED"}, {"ATTEMPTS", right}, {"LAST ERROR"}},
      .rows = {}};
  for (const auto& [message, state, next_attempt_at, last_error, delivered_at] : messages) {
    table.rows.push_back({message.id.short_text(), message.topic, format_count(message.number),
                          output.time(message.created_at), format_count(message.attempts),
                          last_error.value_or("")});
  }
  output.table(table);
  if (has_more) output.note(fmt::format("more follow: --after {}", messages.back().message.id.to_string()));
}

int run_list(CommandContext& context, const Arguments& arguments) {
  const OpenStore store = store_from(context, arguments);
  const auto limit = arguments.integer("--limit").value_or(limit_default);
  std::vector<TrackedMessage> messages = store.database.read([&](db::Transaction& transaction) {
    const auto after = arguments.text("--after");
    return list_messages(transaction, state_from(arguments), limit + 1,
                         after ? std::optional(require_message(transaction, store, *after)) : std::nullopt);
  });
  const bool has_more = std::ssize(messages) > limit;
  if (has_more) messages.pop_back();
  show(context.output(), messages, has_more);
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

Parameter store_option() {
  return {.name = "--store",
          .value_name = "STORE",
          .type = ValueType::choice,
          .description = "store that sends the messages: core or secure (default: core)",
          .choices = {"core", "secure"}};
}

Command list_command() {
  return {.name = "list",
          .summary = "list the messages of one state, oldest first",
          .options = {store_option(),
                      {.name = "--state",
                       .value_name = "STATE",
                       .type = ValueType::choice,
                       .description = "dead, pending or delivered (default: dead)",
                       .choices = {"dead", "pending", "delivered"}},
                      {.name = "--limit",
                       .value_name = "N",
                       .type = ValueType::integer,
                       .description = "show at most N messages (default: 50)",
                       .minimum = 1,
                       .maximum = limit_max},
                      {.name = "--after",
                       .value_name = "ID",
                       .type = ValueType::text,
                       .description = "begin after the message with this id, or this end of it"}},
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
                                      .type = ValueType::text,
                                      .description = "id of a dead message, or its last 8 characters"}},
                        .options = {store_option(), {.name = "--all", .description = "all dead messages"}},
                        .example = "nerve-db outbox retry --all --workspace demo",
                        .run = &run_retry}},
          .example = "nerve-db outbox list --workspace demo"};
}

}  // namespace nerve::workspace
