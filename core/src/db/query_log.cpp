// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/query_log.h"

#include "query_log_file.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>

namespace nerve::db {

namespace {

constexpr std::string_view overflow_sql = "(other)";
constexpr std::size_t fingerprint_digits = 16;
constexpr auto relaxed = std::memory_order_relaxed;

std::string fingerprint_of(std::string_view sql) {
  return to_hex(crypto::sha256(as_bytes(sql))).substr(0, fingerprint_digits);
}

void raise_to(std::atomic<std::uint64_t>& maximum, std::uint64_t value) noexcept {
  std::uint64_t seen = maximum.load(relaxed);
  while (seen < value && !maximum.compare_exchange_weak(seen, value, relaxed)) {
  }
}

}  // namespace

std::size_t QueryLog::Entry::class_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < 4) return static_cast<std::size_t>(nanoseconds);
  const auto exponent = static_cast<std::size_t>(std::bit_width(nanoseconds)) - 1;  // at least 2
  const std::size_t quarter = (nanoseconds >> (exponent - 2)) & 3U;
  return std::min((exponent - 1) * 4 + quarter, classes - 1);
}

std::uint64_t QueryLog::Entry::upper_bound_of(std::size_t index) noexcept {
  if (index < 4) return index;
  const std::size_t exponent = index / 4 + 1;
  const std::uint64_t quarter = index % 4;
  return ((4 + quarter + 1) << (exponent - 2)) - 1;
}

void QueryLog::Entry::record(std::chrono::nanoseconds elapsed, std::uint64_t rows, bool failed,
                             std::chrono::nanoseconds slow_threshold) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0));
  calls_.fetch_add(1, relaxed);
  total_ns_.fetch_add(ns, relaxed);
  if (rows != 0) rows_.fetch_add(rows, relaxed);
  if (failed) failures_.fetch_add(1, relaxed);
  if (elapsed >= slow_threshold) slow_calls_.fetch_add(1, relaxed);
  raise_to(max_ns_, ns);
  histogram_[class_of(ns)].fetch_add(1, relaxed);
}

void QueryLog::Entry::clear() noexcept {
  for (auto* counter : {&calls_, &failures_, &slow_calls_, &rows_, &total_ns_, &max_ns_})
    counter->store(0, relaxed);
  for (auto& counter : histogram_) counter.store(0, relaxed);
}

std::chrono::nanoseconds QueryLog::Entry::percentile_95() const noexcept {
  std::uint64_t total = 0;
  for (const auto& counter : histogram_) total += counter.load(relaxed);
  const std::uint64_t rank = (total * 95 + 99) / 100;
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < classes; ++index) {
    seen += histogram_[index].load(relaxed);
    if (seen < rank || seen == 0) continue;
    const std::uint64_t bound = std::min(upper_bound_of(index), max_ns_.load(relaxed));
    return std::chrono::nanoseconds(static_cast<std::int64_t>(bound));
  }
  return std::chrono::nanoseconds(0);
}

QueryLog::Entry& QueryLog::entry(const std::string& fingerprint_sql) {
  const std::lock_guard lock(mutex_);
  return entry_locked(fingerprint_sql);
}

QueryLog::Entry& QueryLog::entry_locked(const std::string& fingerprint_sql) {
  auto found = entries_.find(fingerprint_sql);
  if (found == entries_.end()) {
    const bool full = entries_.size() >= fingerprints_max;
    const std::string sql = full ? std::string(overflow_sql) : fingerprint_sql;
    found = entries_.find(sql);
    if (found != entries_.end()) return *found->second;
    auto made = std::make_unique<Entry>();
    made->sql_ = sql;
    made->fingerprint_ = fingerprint_of(sql);
    found = entries_.emplace(sql, std::move(made)).first;
  }
  return *found->second;
}

std::vector<QueryStatistics> QueryLog::snapshot(Order order, std::size_t limit, bool slow_only) const {
  std::vector<QueryStatistics> result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [sql, entry] : entries_) {
      if (entry->calls_.load(relaxed) == 0 || (slow_only && entry->slow_calls_.load(relaxed) == 0)) continue;
      const auto ns = [](const auto& counter) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(counter.load(relaxed)));
      };
      result.push_back({.fingerprint = entry->fingerprint_,
                        .sql = entry->sql_,
                        .calls = entry->calls_.load(relaxed),
                        .failures = entry->failures_.load(relaxed),
                        .slow_calls = entry->slow_calls_.load(relaxed),
                        .rows = entry->rows_.load(relaxed),
                        .total = ns(entry->total_ns_),
                        .max = ns(entry->max_ns_),
                        .p95 = entry->percentile_95()});
    }
  }
  const auto weight = [order](const QueryStatistics& one) -> std::uint64_t {
    switch (order) {
      case Order::total:
        return static_cast<std::uint64_t>(one.total.count());
      case Order::max:
        return static_cast<std::uint64_t>(one.max.count());
      case Order::calls:
        return one.calls;
      case Order::p95:
        return static_cast<std::uint64_t>(one.p95.count());
      case Order::average:
        return static_cast<std::uint64_t>(one.average().count());
    }
    return 0;
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto& a, const auto& b) { return weight(a) > weight(b); });
  if (result.size() > limit) result.resize(limit);
  return result;
}

void QueryLog::clear() {
  const std::lock_guard lock(mutex_);
  for (auto& [sql, entry] : entries_) entry->clear();
}

Json QueryLog::to_json() const {
  const std::lock_guard lock(mutex_);
  Json statements = Json::array();
  for (const auto& [sql, entry] : entries_) {
    if (entry->calls_.load(relaxed) == 0) continue;
    Json histogram = Json::object();
    for (std::size_t index = 0; index < Entry::classes; ++index) {
      if (const auto count = entry->histogram_[index].load(relaxed)) histogram[std::to_string(index)] = count;
    }
    statements.push_back({{"sql", sql},
                          {"calls", entry->calls_.load(relaxed)},
                          {"failures", entry->failures_.load(relaxed)},
                          {"slow_calls", entry->slow_calls_.load(relaxed)},
                          {"rows", entry->rows_.load(relaxed)},
                          {"total_ns", entry->total_ns_.load(relaxed)},
                          {"max_ns", entry->max_ns_.load(relaxed)},
                          {"histogram", std::move(histogram)}});
  }
  return statements;
}

void QueryLog::add_json(const Json& statements) {
  const std::lock_guard lock(mutex_);
  for (const Json& one : statements) {
    Entry& entry = entry_locked(one.at("sql").get<std::string>());
    entry.calls_ += one.at("calls").get<std::uint64_t>();
    entry.failures_ += one.at("failures").get<std::uint64_t>();
    entry.slow_calls_ += one.at("slow_calls").get<std::uint64_t>();
    entry.rows_ += one.at("rows").get<std::uint64_t>();
    entry.total_ns_ += one.at("total_ns").get<std::uint64_t>();
    raise_to(entry.max_ns_, one.at("max_ns").get<std::uint64_t>());
    for (const auto& [index, count] : one.at("histogram").items()) {
      entry.histogram_.at(std::stoul(index)) += count.get<std::uint64_t>();
    }
  }
}

void QueryLog::load(const std::filesystem::path& file) {
  const Json statements = QueryLogFile::read(file);
  try {
    add_json(statements);
  } catch (const std::exception&) {
    throw QueryLogFile::not_a_log(file);
  }
}

void QueryLog::remove_file(const std::filesystem::path& file) {
  QueryLogFile(file).remove();
}

void QueryLog::merge_into(const std::filesystem::path& file) const {
  QueryLogFile locked(file);
  QueryLog merged;
  if (const auto before = locked.read_locked()) {
    try {
      merged.add_json(*before);
    } catch (const std::exception&) {
      throw QueryLogFile::not_a_log(file);
    }
  }
  merged.add_json(to_json());
  locked.replace(merged.to_json());
}

}  // namespace nerve::db
