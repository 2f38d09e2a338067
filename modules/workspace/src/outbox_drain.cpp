// SPDX-License-Identifier: Apache-2.0
// Carries the messages of each store's outbox to the other store.
#include "jobs.h"
#include "outbox_store.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/module.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::workspace {

namespace {

constexpr std::int64_t drain_portion = 100;

/// What one run carried.
struct DrainTally {
  std::int64_t delivered = 0;
  std::int64_t repeated = 0;  ///< that had arrived before
  std::int64_t failed = 0;    ///< attempts
  std::int64_t dead = 0;
  std::int64_t waiting = 0;  ///< topics whose first message is to be tried later
};

class Drain {
 public:
  Drain(OpenStore sender, OpenStore receiver, const Scope& scope,
        const std::vector<OutboxConsumer>& consumers, JobReport& report, DrainTally& tally)
      : sender_(sender),
        receiver_(receiver),
        scope_(scope),
        consumers_(consumers),
        report_(report),
        tally_(tally) {}

  void run() {
    const auto topics = sender_.read(scope_, [](Reader& reader) { return pending_topics(reader); });
    for (const std::string& topic : topics) carry(topic);
  }

 private:
  /// Until the topic is empty or its first message has to wait, because those behind it wait with it.
  void carry(const std::string& topic) {
    std::int64_t after = 0;
    for (;;) {
      const auto messages = sender_.read(
          scope_, [&](Reader& reader) { return pending_of(reader, topic, after, drain_portion); });
      for (const OutboxMessage& message : messages) {
        throw_if_interrupted();
        if (message.next_attempt_at > sender_.clock.now() || !deliver(message)) {
          ++tally_.waiting;
          return;
        }
        after = message.number;
      }
      if (messages.empty()) return;
    }
  }

  /// Whether the message is out of the way: delivered, or dead. An unreachable receiver ends the job, since
  /// no other message would arrive either.
  bool deliver(const OutboxMessage& message) {
    try {
      const bool is_new = receive(message);
      ++(is_new ? tally_.delivered : tally_.repeated);
    } catch (const ConnectionError&) {
      throw;
    } catch (const CancelledError&) {
      throw;
    } catch (const Error& error) {
      return note_failure(message, error);
    }
    sender_.change(scope_, [&](Change& change) { mark_delivered(change, message.id); });
    return true;
  }

  bool receive(const OutboxMessage& message) {
    const OutboxConsumer& consumer = consumer_of(message.topic);
    const Scope scope = message.for_tenant_id ? scope_.narrowed_to(*message.for_tenant_id) : scope_;
    return receiver_.change(scope, [&](Change& change) {
      if (!insert_receipt(change, message)) return false;
      consumer.receive(change, message);
      return true;
    });
  }

  const OutboxConsumer& consumer_of(const std::string& topic) const {
    const auto found = std::ranges::find_if(consumers_, [&](const OutboxConsumer& consumer) {
      return consumer.topic == topic && consumer.receiver == receiver_.id;
    });
    if (found != consumers_.end()) return *found;
    throw UnsupportedError(
        fmt::format("no module receives the topic {} in the {} store", topic, to_string(receiver_.id)),
        "Use the version of the program that sent the message, or a newer one.");
  }

  bool note_failure(const OutboxMessage& message, const Error& error) {
    const MessageState state =
        sender_.change(scope_, [&](Change& change) { return mark_failed(change, message, error); });
    ++tally_.failed;
    const bool is_dead = state == MessageState::dead;
    if (is_dead) ++tally_.dead;
    report_.problems.push_back(fmt::format("message {} of the topic {} {}: {}", message.id.short_text(),
                                           message.topic, is_dead ? "is dead" : "will be tried again",
                                           error.what()));
    return is_dead;
  }

  OpenStore sender_;
  OpenStore receiver_;
  const Scope& scope_;
  const std::vector<OutboxConsumer>& consumers_;
  JobReport& report_;
  DrainTally& tally_;
};

}  // namespace

JobReport drain_outbox(JobContext& context) {
  if (context.is_dry_run) {
    JobReport report;
    std::int64_t pending = 0;
    for (const Store store : every_store) {
      pending += context.stores.store(store).read(
          context.scope, [](Reader& reader) { return count_messages(reader).pending; });
    }
    report.counts = {{"pending", pending}};
    return report;
  }
  std::vector<OutboxConsumer> consumers;
  for (const Module* module : context.stores.modules()) {
    consumers.insert(consumers.end(), module->consumers.begin(), module->consumers.end());
  }
  JobReport report;
  DrainTally tally;
  for (const Store sender : every_store) {
    Drain(context.stores.store(sender), context.stores.store(other_store(sender)), context.scope, consumers,
          report, tally)
        .run();
  }
  report.counts = {{"delivered", tally.delivered},
                   {"repeated", tally.repeated},
                   {"failed", tally.failed},
                   {"dead", tally.dead},
                   {"waiting_topics", tally.waiting}};
  return report;
}

}  // namespace nerve::workspace
