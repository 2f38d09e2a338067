// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

namespace nerve {

class Change;

/// What happened in one store, told to whoever subscribed there. An event is any struct.
///
///   events.subscribe<TenantRemoved>("identity", [](Change& change, const TenantRemoved& event) {…});
///   change.publish(TenantRemoved{id});
///
/// Handlers run at once, in the order in which they subscribed, inside the transaction of the publisher: what
/// they throw undoes it all. Since a transaction may be run again, a handler changes nothing but the
/// database; what is for the other store goes into the outbox. Subscribing ends before the first event is
/// published; publishing is safe for many threads.
class DomainEvents {
 public:
  /// Handlers may publish events of their own, to this depth; a deeper chain is a circle.
  static constexpr int depth_max = 16;

  template <class Event>
  using Handler = std::function<void(Change&, const Event&)>;

  /// `subscriber` is the module's name.
  template <class Event>
  void subscribe(std::string_view subscriber, Handler<Event> handler) {
    add(typeid(Event), subscriber, [handler = std::move(handler)](Change& change, const void* event) {
      handler(change, *static_cast<const Event*>(event));
    });
  }

  /// Throws what a handler throws, and Error for a chain of events that is too deep.
  template <class Event>
  void publish(Change& change, const Event& event) const {
    deliver(typeid(Event), change, &event);
  }

  /// The modules that hear of an event, in order.
  template <class Event>
  std::vector<std::string> subscribers() const {
    return subscribers_of(typeid(Event));
  }

 private:
  using AnyHandler = std::function<void(Change&, const void*)>;
  struct Subscription {
    std::string subscriber;
    AnyHandler handler;
  };

  void add(std::type_index type, std::string_view subscriber, AnyHandler handler);
  void deliver(std::type_index type, Change& change, const void* event) const;
  std::vector<std::string> subscribers_of(std::type_index type) const;

  std::map<std::type_index, std::vector<Subscription>> subscriptions_;
};

}  // namespace nerve
