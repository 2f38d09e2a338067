// SPDX-License-Identifier: Apache-2.0
#include "writer.h"

#include "container_file.h"
#include "group_collector.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::size_t thread_count = 2;
constexpr std::size_t batch_count = 2 * thread_count + 1;
}  // namespace

class ContainerWriter::Pipeline {
 public:
  Pipeline(const Descriptor& file, const std::filesystem::path& path, const ContainerHeader& header,
           const ContainerKeys& keys, const PageState* previous);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  void take(std::uint32_t number, ByteView page);
  ContainerTrailer finish();

 private:
  /// Pages that arrived one after the other.
  struct Batch {
    std::uint64_t sequence = 0;
    PageGroup group;
  };

  void work();
  /// Waits for one of the batches that no thread works on.
  Batch& free_batch();
  void submit();
  void process(Batch& batch, GroupCodec& codec, Bytes& records);
  void drop_unchanged(PageGroup& group) const;
  void stop() noexcept;
  void fail(std::exception_ptr failure) noexcept;

  ContainerHeader header_;
  const ContainerKeys& keys_;
  const PageState* previous_;

  // The thread that takes pages.
  Batch* filling_ = nullptr;
  std::uint64_t batches_submitted_ = 0;
  std::uint32_t pages_taken_ = 0;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Batch, batch_count> batches_;
  std::deque<Batch*> free_;
  std::deque<Batch*> waiting_;
  std::uint64_t turn_ = 0;  ///< the batch whose groups are to be written next
  bool is_ended_ = false;
  std::exception_ptr failure_;

  // Of the thread whose turn it is.
  ContainerFile file_;
  crypto::Sha256 state_;
  GroupCollector collector_;

  std::vector<std::thread> threads_;
};

ContainerWriter::Pipeline::Pipeline(const Descriptor& file, const std::filesystem::path& path,
                                    const ContainerHeader& header, const ContainerKeys& keys,
                                    const PageState* previous)
    : header_(header),
      keys_(keys),
      previous_(previous),
      file_(file, path, header, keys),
      collector_(file_, header_, keys) {
  for (Batch& batch : batches_) free_.push_back(&batch);
  for (std::size_t index = 0; index < thread_count; ++index) threads_.emplace_back([this] { work(); });
}

ContainerWriter::Pipeline::~Pipeline() {
  fail(nullptr);
  stop();
}

void ContainerWriter::Pipeline::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

/// Drops what waits, so that the threads end soon.
void ContainerWriter::Pipeline::fail(std::exception_ptr failure) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    waiting_.clear();
    is_ended_ = true;
  }
  changed_.notify_all();
}

ContainerWriter::Pipeline::Batch& ContainerWriter::Pipeline::free_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || !free_.empty(); });
  if (failure_) std::rethrow_exception(failure_);
  Batch& batch = *free_.front();
  free_.pop_front();
  batch.group.clear();
  return batch;
}

void ContainerWriter::Pipeline::take(std::uint32_t number, ByteView page) {
  if (number != pages_taken_ + 1 || page.size() != header_.page_size_bytes || number > header_.page_count) {
    throw Error(ErrorKind::failure, fmt::format("page {} came where page {} of {} was due", number,
                                                pages_taken_ + 1, header_.page_count));
  }
  if (filling_ == nullptr) filling_ = &free_batch();
  PageGroup& group = filling_->group;
  group.numbers.push_back(number);
  group.octets.insert(group.octets.end(), page.begin(), page.end());
  ++pages_taken_;
  if (group.numbers.size() == header_.group_pages) submit();
}

void ContainerWriter::Pipeline::submit() {
  if (filling_ == nullptr) return;
  filling_->sequence = batches_submitted_++;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::exchange(filling_, nullptr));
  }
  changed_.notify_all();
}

void ContainerWriter::Pipeline::work() {
  try {
    GroupCodec codec(header_, keys_);
    Bytes records;
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Batch& batch = *waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      process(batch, codec, records);
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

void ContainerWriter::Pipeline::process(Batch& batch, GroupCodec& codec, Bytes& records) {
  PageGroup& group = batch.group;
  group.hashes.reserve(group.numbers.size());
  for (std::size_t index = 0; index < group.numbers.size(); ++index) {
    group.hashes.push_back(codec.hash_of(
        ByteView(group.octets).subspan(index * header_.page_size_bytes, header_.page_size_bytes)));
  }
  const std::vector<PageHash> all_hashes = group.hashes;
  GroupPlace place;
  records.clear();
  if (previous_ != nullptr) {
    drop_unchanged(group);
  } else {
    place = codec.encode(batch.sequence, group, records);
  }

  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || turn_ == batch.sequence; });
  if (failure_) return;
  lock.unlock();
  state_.update(std::as_bytes(std::span(all_hashes)));
  if (previous_ != nullptr) {
    for (std::size_t index = 0; index < group.numbers.size(); ++index) collector_.add(group, index);
  } else {
    file_.append_group(place, records);
  }
  lock.lock();
  ++turn_;
  free_.push_back(&batch);
  lock.unlock();
  changed_.notify_all();
}

void ContainerWriter::Pipeline::drop_unchanged(PageGroup& group) const {
  std::vector<PageHash> before;
  previous_->read(group.numbers.front(), static_cast<std::uint32_t>(group.numbers.size()), before);
  const std::size_t page_bytes = header_.page_size_bytes;
  std::size_t kept = 0;
  for (std::size_t index = 0; index < group.numbers.size(); ++index) {
    if (index < before.size() && before[index] == group.hashes[index]) continue;
    if (kept != index) {
      group.numbers[kept] = group.numbers[index];
      group.hashes[kept] = group.hashes[index];
      std::copy_n(group.octets.data() + index * page_bytes, page_bytes,
                  group.octets.data() + kept * page_bytes);
    }
    ++kept;
  }
  group.numbers.resize(kept);
  group.hashes.resize(kept);
  group.octets.resize(kept * page_bytes);
}

ContainerTrailer ContainerWriter::Pipeline::finish() {
  submit();
  stop();
  if (failure_) std::rethrow_exception(failure_);
  if (pages_taken_ != header_.page_count) {
    throw Error(ErrorKind::failure,
                fmt::format("the database ended at page {} of {}", pages_taken_, header_.page_count));
  }
  collector_.write();
  return file_.finish(state_.finish());
}

ContainerWriter::ContainerWriter(const Descriptor& file, const std::filesystem::path& path,
                                 const ContainerHeader& header, const ContainerKeys& keys,
                                 const PageState* previous)
    : pipeline_(std::make_unique<Pipeline>(file, path, header, keys, previous)) {}

ContainerWriter::~ContainerWriter() = default;

void ContainerWriter::take(std::uint32_t number, ByteView page) {
  pipeline_->take(number, page);
}

ContainerTrailer ContainerWriter::finish() {
  return pipeline_->finish();
}

}  // namespace nerve::backups
