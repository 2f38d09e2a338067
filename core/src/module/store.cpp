// SPDX-License-Identifier: Apache-2.0
#include "nerve/store.h"

#include "nerve/core/error.h"

#include <vector>

namespace nerve {

std::string_view to_string(Store store) noexcept {
  return store == Store::core ? "core" : "secure";
}

std::string_view to_string(Placement placement) noexcept {
  switch (placement) {
    case Placement::core:
      return "core";
    case Placement::secure:
      return "secure";
    case Placement::both:
      return "both";
  }
  return "both";
}

void OpenStore::run_read(const Scope& scope, const std::function<void(Reader&)>& work) const {
  database.read(scope.setting(), [&](db::Transaction& transaction) {
    Reader reader(transaction, scope, clock.now());
    work(reader);
  });
}

void OpenStore::run_change(const Scope& scope, const std::function<void(Change&)>& work) const {
  std::vector<ChangeEntry> refusals;
  const auto run_once = [&](db::Transaction& transaction) {
    refusals.clear();
    Change change(transaction, scope, clock.now(), events);
    try {
      work(change);
      change.finish(sink);
    } catch (...) {
      refusals.assign(change.refusals().begin(), change.refusals().end());
      throw;
    }
  };
  try {
    database.write(scope.setting(), run_once);
  } catch (const DeniedError&) {
    if (refusals.empty())
      refusals.push_back({.action = Action::refused, .tenant = scope.only_tenant(), .name = "denied"});
    record_refusals(scope, refusals);
    throw;
  } catch (const Error&) {
    record_refusals(scope, refusals);
    throw;
  }
}

void OpenStore::record_refusals(const Scope& scope, std::span<const ChangeEntry> refusals) const {
  if (refusals.empty() || sink == nullptr) return;
  database.write(scope.setting(), [&](db::Transaction& transaction) {
    Change change(transaction, scope, clock.now(), events);
    sink(change, refusals);
  });
}

}  // namespace nerve
