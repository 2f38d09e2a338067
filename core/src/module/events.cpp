// SPDX-License-Identifier: Apache-2.0
#include "nerve/events.h"

#include "nerve/core/error.h"

namespace nerve {

namespace {

/// How deep the events of this thread's publisher are nested.
thread_local int depth = 0;

class Nesting {
 public:
  Nesting() noexcept { ++depth; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --depth; }
};

}  // namespace

void DomainEvents::add(std::type_index type, std::string_view subscriber, AnyHandler handler) {
  subscriptions_[type].push_back({std::string(subscriber), std::move(handler)});
}

void DomainEvents::deliver(std::type_index type, Change& change, const void* event) const {
  const auto found = subscriptions_.find(type);
  if (found == subscriptions_.end()) return;
  const Nesting nesting;
  for (const Subscription& subscription : found->second) {
    if (depth > depth_max) {
      throw Error(
          ErrorKind::failure,
          "domain events cause each other without end, at last in the module " + subscription.subscriber,
          "This is a defect of that module: please report it.");
    }
    subscription.handler(change, event);
  }
}

std::vector<std::string> DomainEvents::subscribers_of(std::type_index type) const {
  std::vector<std::string> names;
  const auto found = subscriptions_.find(type);
  if (found == subscriptions_.end()) return names;
  for (const Subscription& subscription : found->second) names.push_back(subscription.subscriber);
  return names;
}

}  // namespace nerve
