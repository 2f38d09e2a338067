// SPDX-License-Identifier: Apache-2.0
// GCC's ThreadSanitizer does not watch pthread_mutex_clocklock(), by which std::timed_mutex waits: it would
// take what such a mutex guards for unguarded. This waits by a call that it does watch.
#include <pthread.h>
#include <time.h>

extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  constexpr long second_ns = 1'000'000'000;
  timespec now{};
  timespec real{};
  ::clock_gettime(clock, &now);
  ::clock_gettime(CLOCK_REALTIME, &real);
  real.tv_sec += until->tv_sec - now.tv_sec;
  real.tv_nsec += until->tv_nsec - now.tv_nsec;
  for (; real.tv_nsec < 0; --real.tv_sec) real.tv_nsec += second_ns;
  for (; real.tv_nsec >= second_ns; ++real.tv_sec) real.tv_nsec -= second_ns;
  return ::pthread_mutex_timedlock(mutex, &real);
}
