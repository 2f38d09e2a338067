// SPDX-License-Identifier: Apache-2.0
#include "page_state_cache.h"

#include "container/group_codec.h"
#include "partial_backup.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>

#include <filesystem>

namespace nerve::backups {
namespace {

/// One file for each history of a database in a repository.
std::filesystem::path state_path(const Repository& repository, const Manifest& backup) {
  constexpr std::size_t digits = 32;
  const std::string history = fmt::format("{}\n{}\n{}", source_name(repository.path()), backup.source.path,
                                          backup.line ? backup.line->to_string() : std::string());
  return repository.witness_folder() /
         (to_hex(crypto::sha256(as_bytes(history))).substr(0, digits) + ".pages");
}

void apply(const ContainerReader& container, PageState& state) {
  GroupCodec codec(container.header(), container.keys());
  PageGroup group;
  state.resize(container.header().page_count);
  for (std::size_t number = 0; number < container.group_count(); ++number) {
    container.read_hashes(number, codec, group);
    state.set(group.numbers, group.hashes);
  }
}

}  // namespace

std::optional<PageState> load_page_state(const Repository& repository, const Manifest& backup,
                                         const ContainerReader& container) {
  if (repository.witness_folder().empty()) return std::nullopt;
  return PageState::load(state_path(repository, backup), container.header().page_count,
                         container.trailer().state, repository.path());
}

void keep_page_state(const Repository& repository, const Manifest& delta, PageState& state,
                     Keyring& keyring) {
  if (repository.witness_folder().empty()) return;
  try {
    make_folders(repository.witness_folder());
    const ContainerReader container(repository.folder_of(delta.id) / delta.file.name, keyring);
    apply(container, state);
    state.save(state_path(repository, delta));
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

}  // namespace nerve::backups
