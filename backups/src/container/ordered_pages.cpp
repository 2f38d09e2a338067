// SPDX-License-Identifier: Apache-2.0
#include "ordered_pages.h"

#include "group_codec.h"
#include "page_owners.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::size_t window_bytes = std::size_t{8} << 20;

/// One container of the chain, and which pages its groups are about.
struct GroupSource {
  struct Span {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  explicit GroupSource(const ContainerReader& reader)
      : container(reader), codec(std::make_unique<GroupCodec>(reader.header(), reader.keys())) {
    PageGroup group;
    for (std::size_t number = 0; number < reader.group_count(); ++number) {
      reader.read_hashes(number, *codec, group);
      spans.push_back({group.numbers.front(), group.numbers.back()});
    }
  }

  const ContainerReader& container;
  std::unique_ptr<GroupCodec> codec;
  std::vector<Span> spans;
};

/// The pages from `first` on, as many as fit.
class Window {
 public:
  Window(std::size_t page_bytes, std::uint32_t page_count)
      : page_bytes_(page_bytes),
        page_count_(page_count),
        size_(static_cast<std::uint32_t>(std::max<std::size_t>(window_bytes / page_bytes, 1))),
        octets_(page_bytes * std::min(size_, page_count)) {}

  void begin(std::uint32_t first) {
    first_ = first;
    last_ = page_count_ - first < size_ ? page_count_ : first + size_ - 1;
    is_filled_.assign(std::size_t{last_} - first_ + 1, false);
  }

  std::uint32_t last() const noexcept { return last_; }
  bool meets(const GroupSource::Span& span) const noexcept {
    return span.first <= last_ && span.last >= first_;
  }

  /// Takes those pages of a group that container `index` owns.
  void take(const PageGroup& group, const PageOwners& owners, std::size_t index) {
    for (std::size_t place = 0; place < group.numbers.size(); ++place) {
      const std::uint32_t number = group.numbers[place];
      if (number < first_ || number > last_ || !owners.is_owner(index, number)) continue;
      std::memcpy(octets_.data() + (number - first_) * page_bytes_, group.octets.data() + place * page_bytes_,
                  page_bytes_);
      is_filled_[number - first_] = true;
    }
  }

  void hand_over(const std::function<void(std::uint32_t, ByteView)>& take) const {
    for (std::uint32_t number = first_; number <= last_; ++number) {
      if (!is_filled_[number - first_]) {
        throw IntegrityError(fmt::format("page {} is in none of the containers", number));
      }
      take(number, ByteView(octets_).subspan((number - first_) * page_bytes_, page_bytes_));
    }
  }

 private:
  std::size_t page_bytes_;
  std::uint32_t page_count_;
  std::uint32_t size_;
  Bytes octets_;
  std::vector<bool> is_filled_;
  std::uint32_t first_ = 1;
  std::uint32_t last_ = 0;
};

}  // namespace

void read_in_order(const Chain& chain, const std::function<void(std::uint32_t number, ByteView page)>& take,
                   std::string_view phase, ProgressSink* progress) {
  const PageOwners owners(chain);
  std::vector<GroupSource> sources;
  sources.reserve(chain.containers().size());
  for (const auto& container : chain.containers()) sources.emplace_back(*container);
  Window window(chain.page_size_bytes(), chain.page_count());
  PageGroup group;
  for (std::uint32_t first = 1; first <= chain.page_count(); first = window.last() + 1) {
    window.begin(first);
    for (std::size_t index = 0; index < sources.size(); ++index) {
      const GroupSource& source = sources[index];
      for (std::size_t number = 0; number < source.spans.size(); ++number) {
        if (!window.meets(source.spans[number])) continue;
        throw_if_interrupted();
        source.container.read_group(number, *source.codec, group);
        window.take(group, owners, index);
      }
    }
    window.hand_over(take);
    if (progress != nullptr) {
      progress->update(phase, std::uint64_t{window.last()} * chain.page_size_bytes(), chain.size_bytes());
    }
  }
}

}  // namespace nerve::backups
