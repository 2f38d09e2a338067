// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/interrupt.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace nerve {

namespace {

volatile std::sig_atomic_t signals_seen = 0;

void count_signal(int) {
  signals_seen = signals_seen + 1;
}

/// The signal that ends a child which runs `work`, or 0 when it ends by itself.
int signal_that_ends(void (*work)()) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Without the handlers by which doctest reports a crash.
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) signal(signal_number, SIG_DFL);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a signal under a guard sets the flag and nothing else") {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    const InterruptGuard guard;
    CHECK_FALSE(interrupted());
    CHECK_NOTHROW(throw_if_interrupted());
    REQUIRE(raise(signal_number) == 0);
    CHECK(interrupted());
    CHECK(interrupting_signal() == signal_number);
    CHECK_THROWS_AS(throw_if_interrupted(), CancelledError);
  }
}

TEST_CASE("a new guard begins with the flag down") {
  {
    const InterruptGuard guard;
    REQUIRE(raise(SIGINT) == 0);
  }
  CHECK(interrupted());
  const InterruptGuard guard;
  CHECK_FALSE(interrupted());
}

TEST_CASE("the second signal ends the process at once") {
  CHECK(signal_that_ends([] {
          const InterruptGuard guard;
          raise(SIGINT);
          raise(SIGINT);
        }) == SIGINT);
}

TEST_CASE("a hang-up that is ignored, as nohup has it, stays ignored under a guard and after it") {
  CHECK(signal_that_ends([] {
          signal(SIGHUP, SIG_IGN);
          {
            const InterruptGuard guard;
            raise(SIGHUP);
            if (interrupted()) raise(SIGKILL);
          }
          raise(SIGHUP);
        }) == 0);
}

TEST_CASE("without a guard a signal ends the process, also after one was there") {
  CHECK(signal_that_ends([] {
          { const InterruptGuard guard; }
          raise(SIGTERM);
        }) == SIGTERM);
}

TEST_CASE("a guard puts back the handler that was there before") {
  struct sigaction counting {};
  counting.sa_handler = &count_signal;
  struct sigaction before {};
  REQUIRE(sigaction(SIGINT, &counting, &before) == 0);
  {
    const InterruptGuard guard;
    raise(SIGINT);
    CHECK(signals_seen == 0);
  }
  raise(SIGINT);
  CHECK(signals_seen == 1);
  sigaction(SIGINT, &before, nullptr);
}

}  // namespace nerve
