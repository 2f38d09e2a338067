// SPDX-License-Identifier: Apache-2.0
#include "vouch.h"

#include "authentication.h"
#include "catalogue.h"
#include "container/reader.h"
#include "container_backup.h"
#include "durable_file.h"
#include "layout.h"
#include "repository_folder.h"

#include "nerve/core/error.h"

#include <filesystem>

namespace nerve::backups {
namespace {

/// Whether there was something to do.
bool vouch_for_one(const Repository& repository, const std::filesystem::path& folder) {
  Manifest manifest = read_manifest(folder);
  Keyring& keyring = *repository.keyring();
  if (!manifest.is_encrypted() || reason_to_doubt(manifest, keyring).empty()) return false;
  const ContainerReader container(folder / manifest.file.name, keyring);
  require_container_of(manifest, end_of(container));
  manifest.authentication = Authentication{key_text(container.header().key), {}};
  authenticate(manifest, &keyring);
  const std::filesystem::path partial =
      folder.parent_path() / (std::string(partial_folder_prefix) + manifest.id.to_string() + ".json");
  remove_if_there(partial);
  write_new_file(partial, manifest_text(manifest));
  rename_durably(partial, folder / manifest_file_name);
  return true;
}

}  // namespace

std::vector<std::string> vouch_for(const Repository& repository, const std::vector<std::string>& ids) {
  std::vector<std::string> vouched_for;
  if (repository.keyring() == nullptr) return vouched_for;
  const Catalogue catalogue = Catalogue::read(repository);
  for (const std::string& id : ids) {
    // One that the key has stored is of no older program: its manifest was altered since.
    if (catalogue.vouches_for(id)) continue;
    try {
      if (vouch_for_one(repository, repository.path() / id)) vouched_for.push_back(id);
    } catch (const IntegrityError&) {
      continue;  // what is damaged stays so: verify tells it
    } catch (const NotFoundError&) {
      continue;
    } catch (const DeniedError&) {
      continue;  // it is of another key
    }
  }
  return vouched_for;
}

}  // namespace nerve::backups
