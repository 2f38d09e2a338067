// SPDX-License-Identifier: Apache-2.0
#include "group_collector.h"

namespace nerve::backups {

void GroupCollector::add(const PageGroup& from, std::size_t index) {
  const ByteView page =
      ByteView(from.octets).subspan(index * header_.page_size_bytes, header_.page_size_bytes);
  group_.numbers.push_back(from.numbers[index]);
  group_.hashes.push_back(from.hashes[index]);
  group_.octets.insert(group_.octets.end(), page.begin(), page.end());
  if (group_.numbers.size() == header_.group_pages) write();
}

void GroupCollector::write() {
  if (group_.numbers.empty()) return;
  records_.clear();
  const GroupPlace place = codec_.encode(file_.group_count(), group_, records_);
  file_.append_group(place, records_);
  group_.clear();
}

}  // namespace nerve::backups
