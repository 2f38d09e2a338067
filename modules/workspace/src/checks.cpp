// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include "nerve/core/text.h"
#include "nerve/cross_store.h"
#include "nerve/workspace/outbox.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace nerve::workspace {

namespace {

using health::Check;
using health::Status;

/// A pending message that is older was not carried over, or has failed for as long.
constexpr std::chrono::hours backlog_age_max{1};

OutboxCounts counts_of(Stores& stores, Store store) {
  return stores.store(store).read(Scope(), [](Reader& reader) { return count_messages(reader); });
}

}  // namespace

Check check_references(Stores& stores) {
  std::int64_t looked_up = 0;
  std::int64_t orphans = 0;
  std::vector<std::string> names;
  for (const StoreReference& reference : cross_store_references(stores.modules())) {
    std::int64_t here = 0;
    looked_up += each_orphan(stores, reference, [&](const Uuid&) { ++here; });
    if (here > 0) names.push_back(fmt::format("{} ({})", reference.name(), here));
    orphans += here;
  }
  Check check{.status = orphans == 0 ? Status::ok : Status::warning,
              .value = fmt::format("{} of {} missing", format_count(orphans), format_count(looked_up)),
              .threshold = "none missing",
              .message = "every record that is named across the stores is there",
              .fix = {}};
  if (orphans > 0) {
    check.message = fmt::format("the other store has no record for ids in {}", fmt::join(names, ", "));
    check.fix = "nerve-db jobs run orphan-sweep";
  }
  return check;
}

Check check_dead_letters(Stores& stores) {
  std::int64_t dead = 0;
  std::optional<Store> first;
  for (const Store store : every_store) {
    const std::int64_t here = counts_of(stores, store).dead;
    if (here > 0 && !first) first = store;
    dead += here;
  }
  Check check{.status = dead == 0 ? Status::ok : Status::warning,
              .value = format_count(dead),
              .threshold = "none",
              .message = "no message between the stores was given up",
              .fix = {}};
  if (first) {
    check.message =
        fmt::format("{} {} between the stores could not be delivered and {} given up", format_count(dead),
                    dead == 1 ? "message" : "messages", dead == 1 ? "was" : "were");
    check.fix = fmt::format("nerve-db outbox retry --all --store {}", to_string(*first));
  }
  return check;
}

Check check_backlog(Stores& stores) {
  std::int64_t pending = 0;
  std::chrono::microseconds oldest{0};
  for (const Store id : every_store) {
    const OutboxCounts counts = counts_of(stores, id);
    pending += counts.pending;
    if (counts.oldest_pending_at) {
      oldest = std::max(oldest, stores.store(id).clock.now() - *counts.oldest_pending_at);
    }
  }
  Check check{.status = oldest <= backlog_age_max ? Status::ok : Status::warning,
              .value = fmt::format("{} pending", format_count(pending)),
              .threshold = fmt::format("none older than {}", format_duration(backlog_age_max)),
              .message = "messages between the stores are carried over in time",
              .fix = {}};
  if (check.status != Status::ok) {
    check.message = fmt::format("a message between the stores has waited for {}", format_duration(oldest));
    check.fix = "nerve-db jobs run outbox-drain";
  }
  return check;
}

}  // namespace nerve::workspace
