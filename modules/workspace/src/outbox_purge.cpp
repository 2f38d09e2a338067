// SPDX-License-Identifier: Apache-2.0
// Removes what was delivered long ago.
#include "jobs.h"
#include "outbox_store.h"

#include "nerve/core/interrupt.h"

#include <algorithm>

namespace nerve::workspace {

namespace {

constexpr std::int64_t purge_portion = 500;

std::int64_t purge_messages(const OpenStore& store, const JobContext& context, Timestamp before) {
  if (context.is_dry_run) {
    return store.read(context.scope, [&](Reader& reader) { return count_delivered(reader, before); });
  }
  std::int64_t purged = 0;
  for (;;) {
    throw_if_interrupted();
    const std::int64_t count = store.change(
        context.scope, [&](Change& change) { return purge_delivered(change, before, purge_portion); });
    purged += count;
    if (count < purge_portion) return purged;
  }
}

/// A receipt stays while its message may come again, however old it is.
std::int64_t purge_receipts_of(const OpenStore& receiver, const OpenStore& sender, const JobContext& context,
                               Timestamp before) {
  std::int64_t purged = 0;
  Uuid after;
  for (;;) {
    throw_if_interrupted();
    std::vector<Uuid> ids = receiver.read(
        context.scope, [&](Reader& reader) { return old_receipts(reader, before, after, purge_portion); });
    if (ids.empty()) return purged;
    after = ids.back();
    const std::vector<Uuid> kept =
        sender.read(context.scope, [&](Reader& reader) { return undelivered_of(reader, ids); });
    std::erase_if(ids, [&](const Uuid& id) { return std::ranges::find(kept, id) != kept.end(); });
    if (context.is_dry_run) {
      purged += static_cast<std::int64_t>(ids.size());
    } else {
      purged += receiver.change(context.scope, [&](Change& change) { return purge_receipts(change, ids); });
    }
  }
}

}  // namespace

JobReport purge_outbox(JobContext& context) {
  std::int64_t messages = 0;
  std::int64_t receipts = 0;
  for (const Store id : every_store) {
    const OpenStore store = context.stores.store(id);
    const Timestamp before = store.clock.now() - outbox_retention;
    messages += purge_messages(store, context, before);
    receipts += purge_receipts_of(store, context.stores.store(other_store(id)), context, before);
  }
  return {.counts = {{"messages", messages}, {"receipts", receipts}}};
}

}  // namespace nerve::workspace
