// SPDX-License-Identifier: Apache-2.0
#include "fuzz/memory_count.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace nerve::fuzz {
namespace {

// Threads allocate, too. What was held before may be freed later, so that the count can fall below zero.
std::atomic<std::int64_t> held_bytes{0};
std::atomic<std::int64_t> peak_bytes{0};

void count(void* memory) noexcept {
  const auto size = static_cast<std::int64_t>(::malloc_usable_size(memory));
  const std::int64_t held = held_bytes.fetch_add(size, std::memory_order_relaxed) + size;
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (held > peak && !peak_bytes.compare_exchange_weak(peak, held, std::memory_order_relaxed)) continue;
}

void discount(void* memory) noexcept {
  if (memory == nullptr) return;
  const auto size = static_cast<std::int64_t>(::malloc_usable_size(memory));
  held_bytes.fetch_sub(size, std::memory_order_relaxed);
}

}  // namespace

std::size_t memory_peak_bytes() noexcept {
  return static_cast<std::size_t>(std::max<std::int64_t>(peak_bytes.load(), 0));
}

void start_memory_count() noexcept {
  held_bytes = 0;
  peak_bytes = 0;
}

}  // namespace nerve::fuzz

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory != nullptr) nerve::fuzz::count(memory);
  return memory;
}

void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  nerve::fuzz::discount(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  operator delete(memory);
}
