// SPDX-License-Identifier: Apache-2.0
// Containers, plain and encrypted, alone and as links of a chain. Each input is read twice: under right
// seals, which shows what the checks of the fields are worth, and with all that can be computed made right
// again, which shows what comes after them.
#include "container/chain.h"
#include "container/ordered_pages.h"
#include "container/reader.h"
#include "container/running_state.h"
#include "fuzz/bounded_call.h"
#include "fuzz/container_bytes.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/sample_key.h"
#include "fuzz/scratch_folder.h"

#include "nerve/crypto/mac.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <set>

namespace nerve::fuzz {
namespace {

namespace fs = std::filesystem;
using backups::BackupId;
using backups::Chain;
using backups::Cipher;
using backups::ContainerKind;
using backups::ContainerReader;
using backups::Descriptor;
using backups::GroupCodec;
using backups::Keyring;
using backups::PageGroup;
using backups::PageHash;
using backups::PageState;
using backups::RunningState;

/// The window of what reads pages in order has 8 MiB, the buffers of a group 256 KiB each.
constexpr std::size_t memory_bytes_max = std::size_t{16} << 20U;

using Paths = std::vector<fs::path>;

void read_groups(const fs::path& path) {
  Keyring keyring(&sample_key());
  const ContainerReader reader(path, keyring);
  GroupCodec codec(reader.header(), reader.keys());
  PageGroup group;
  for (std::size_t number = 0; number < reader.group_count(); ++number) {
    reader.read_hashes(number, codec, group);
    reader.read_group(number, codec, group);
    require(group.octets.size() == group.numbers.size() * reader.header().page_size_bytes,
            "a group holds as many pages as it says");
  }
}

/// The restored database, which is in memory.
struct Restored {
  Restored() : file(::memfd_create("restored", MFD_CLOEXEC)) {}

  Bytes page(std::uint32_t number, std::size_t page_bytes) const {
    Bytes octets(page_bytes);
    backups::read_at(file, octets, static_cast<::off_t>((number - 1) * page_bytes), "restored");
    return octets;
  }

  Descriptor file;
};

void read_chain(const Paths& paths) {
  Keyring keyring(&sample_key());
  const Chain chain(paths, keyring);
  std::set<BackupId> verified;
  chain.verify("", nullptr, verified);
  const Restored restored;
  chain.restore(restored.file, "restored", "", nullptr);
  require(backups::size_of(restored.file, "restored") == chain.size_bytes(),
          "what is restored has the size of the database");
  const PageState state = chain.state(scratch_folder());
  require(state.page_count() == chain.page_count(), "the state is that of all pages");
  crypto::KeyedHash hash(chain.last().keys().hash_key.reveal());
  std::vector<PageHash> hashes;
  state.read(1, state.page_count(), hashes);
  for (std::uint32_t number = 1; number <= chain.page_count(); ++number) {
    require(hash.of(restored.page(number, chain.page_size_bytes())) == hashes[number - 1],
            "a restored page is the one that the chain was sealed with");
  }
}

void read_pages_in_order(const Paths& paths) {
  Keyring keyring(&sample_key());
  const Chain chain(paths, keyring);
  std::uint32_t last = 0;
  const auto take = [&](std::uint32_t number, ByteView page) {
    require(number == last + 1, "no page is left out");
    require(page.size() == chain.page_size_bytes(), "a page has the size of a page");
    last = number;
  };
  backups::read_in_order(chain, take, "", nullptr);
  require(last == chain.page_count(), "all pages are read");
}

void carry_state_along(const Paths& paths) {
  Keyring keyring(&sample_key());
  RunningState state(scratch_folder());
  for (const fs::path& path : paths) {
    const ContainerReader reader(path, keyring);
    state.apply_pages(reader, [](const PageGroup& /*group*/) {});
    state.require_as_sealed();
  }
}

/// Whether all that reads a chain takes it.
bool read(const Paths& paths) {
  bool is_taken = true;
  const auto call = [&](auto reader) {
    if (!bounded_call(memory_bytes_max, [&] { reader(paths); })) is_taken = false;
  };
  call([](const Paths& all) {
    for (const fs::path& path : all) backups::read_header(path);
  });
  call([](const Paths& all) {
    for (const fs::path& path : all) read_groups(path);
  });
  call(read_chain);
  call(read_pages_in_order);
  call(carry_state_along);
  return is_taken;
}

ContainerBytes complete_sample(ContainerKind kind, bool is_encrypted, std::vector<PageHash>& state,
                               std::string_view parent_state = {}) {
  ContainerBytes sample(sample_container(kind, is_encrypted ? Cipher::aes_256_gcm : Cipher::none));
  if (!parent_state.empty()) sample.set_parent_state(parent_state);
  sample.complete(state);
  sample.seal();
  return sample;
}

/// Reads a container as a full with a sound delta to it, or as a delta to a sound full.
bool read_in_chain(std::string_view clear, bool is_completed) {
  const fs::path full_path = scratch_folder() / "full";
  const fs::path delta_path = scratch_folder() / "delta";
  ContainerBytes changed(clear);
  std::vector<PageHash> state;
  if (changed.is_delta()) {
    const ContainerBytes full = complete_sample(ContainerKind::full, changed.is_encrypted(), state);
    if (is_completed) changed.set_parent_state(full.state());
    put_file(full_path, full.octets());
  }
  if (is_completed) changed.complete(state);
  changed.seal();
  put_file(changed.is_delta() ? delta_path : full_path, changed.octets());
  if (changed.is_delta()) return read({full_path, delta_path});
  bool is_taken = read({full_path});
  if (!is_taken) return false;
  const ContainerBytes delta =
      complete_sample(ContainerKind::delta, changed.is_encrypted(), state, changed.state());
  put_file(delta_path, delta.octets());
  read({full_path, delta_path});
  return true;
}

/// What nobody changed, a full and a delta of each kind.
std::vector<std::string> sound_containers() {
  std::vector<std::string> containers;
  for (const Cipher cipher : {Cipher::none, Cipher::aes_256_gcm}) {
    const bool is_encrypted = cipher != Cipher::none;
    std::vector<PageHash> state;
    const ContainerBytes full = complete_sample(ContainerKind::full, is_encrypted, state);
    ContainerBytes delta(sample_container(ContainerKind::delta, cipher));
    delta.set_parent_state(full.state());
    delta.complete(state);
    ContainerBytes clear_full(sample_container(ContainerKind::full, cipher));
    state.clear();
    clear_full.complete(state);
    containers.push_back(clear_full.octets());
    containers.push_back(delta.octets());
  }
  return containers;
}

/// If they were refused, nothing behind the first check would ever be searched.
bool are_taken(const std::vector<std::string>& containers) {
  return std::ranges::all_of(containers, [](const std::string& one) { return read_in_chain(one, true); });
}

}  // namespace

std::vector<std::string> fuzz_corpus() {
  std::vector<std::string> corpus = sound_containers();
  // Fulls with a page twice and one in none of the groups, and with a gap inside of a group.
  corpus.push_back(sample_container(ContainerKind::full, Cipher::none, {{1, 2}, {2, 4}}));
  corpus.push_back(sample_container(ContainerKind::full, Cipher::none, {{1, 3}, {2, 4}}));
  corpus.push_back(sample_container(ContainerKind::full, Cipher::none, {{3, 4}, {1, 2}}));
  return corpus;
}

void fuzz_one(std::string_view input) {
  static const bool is_sound = are_taken(sound_containers());
  require(is_sound, "a sound container is taken");
  read_in_chain(input, false);
  read_in_chain(input, true);
}

}  // namespace nerve::fuzz
