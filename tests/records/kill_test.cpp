// SPDX-License-Identifier: Apache-2.0
// Goal: a change and what is recorded of it are both there or neither. Method: a child process makes a change
// and is killed at each point between its first statement and the return of the commit.
#include "records/scene.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

using namespace nerve;
using test::gadgets;
using test::GadgetStore;
using test::ours;

namespace {

enum class Moment : std::uint8_t { after_the_row, before_the_sink, after_the_sink, after_the_commit };

Moment wanted = Moment::after_the_row;

void kill_at(Moment moment) {
  if (moment == wanted) std::raise(SIGKILL);
}

void killing_sink(Change& change, std::span<const ChangeEntry> entries) {
  kill_at(Moment::before_the_sink);
  test::write_gadget_entries(change, entries);
  kill_at(Moment::after_the_sink);
}

[[noreturn]] void change_and_die(const std::string& url) {
  const auto database = open_database(url, {});
  const DomainEvents events;
  const OpenStore store{Store::core, *database, events, system_clock(), &killing_sink};
  store.change(ours, [](Change& change) {
    change.insert(gadgets, {.name = "lamp"});
    kill_at(Moment::after_the_row);
  });
  kill_at(Moment::after_the_commit);
  ::_exit(0);
}

}  // namespace

CONFORMANCE_TEST("killed between change and commit, neither the change nor its record is there") {
  if (Engine::is_waived()) return;
  for (const Moment moment :
       {Moment::after_the_row, Moment::before_the_sink, Moment::after_the_sink, Moment::after_the_commit}) {
    CAPTURE(static_cast<int>(moment));
    GadgetStore<Engine> store;
    wanted = moment;
    const pid_t child = ::fork();
    if (child == 0) change_and_die(store.url());
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const bool is_there = moment == Moment::after_the_commit;
    CHECK(store.seen() == (is_there ? "created gadget name:>lamp ours\n" : ""));
    CHECK(store.open().read(ours, [](Reader& reader) { return reader.count(gadgets); }) ==
          (is_there ? 1 : 0));
  }
}
