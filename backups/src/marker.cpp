// SPDX-License-Identifier: Apache-2.0
#include "marker.h"

#include "durable_file.h"
#include "file_lock.h"
#include "json_number.h"
#include "layout.h"
#include "repository_file.h"

#include "nerve/backups/manifest.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr std::size_t marker_bytes_max = 4096;

std::string marker_text() {
  return fmt::format("{{\"format\": {}}}\n", format_version);
}

std::int64_t read_format(const std::filesystem::path& marker, const std::string& hint) {
  try {
    const std::string text = read_small_file(marker, marker_bytes_max);
    return whole_number(parse_json(text, marker.string()).at("format"), "format", 0, number_max);
  } catch (const DamagedRepositoryError&) {
    throw;
  } catch (const ValidationError& error) {
    throw IntegrityError(fmt::format("the marker of the backup repository is damaged: {}", error.what()),
                         hint);
  } catch (const IntegrityError& error) {
    throw IntegrityError(fmt::format("the marker of the backup repository is damaged: {}", error.what()),
                         hint);
  } catch (const nlohmann::json::exception&) {
    throw IntegrityError(
        fmt::format("the marker of the backup repository is damaged: {} does not name its format",
                    marker.string()),
        hint);
  }
}

}  // namespace

bool has_marker(const std::filesystem::path& repository) {
  const std::filesystem::path marker = repository / marker_file_name;
  std::error_code error;
  // A link that leads nowhere is there, too: it is to be told of, and not to be passed over.
  const std::filesystem::file_status status = std::filesystem::symlink_status(marker, error);
  const bool is_there = status.type() != std::filesystem::file_type::not_found;
  if (is_there && error) throw_system_error(error.value(), "cannot look at", marker);
  return is_there;
}

void require_known_marker(const std::filesystem::path& repository) {
  const std::int64_t format = read_format(repository / marker_file_name, repair_hint(repository));
  if (format != format_version) {
    throw UnsupportedError(
        fmt::format("the backup repository {} has format {}, and this program knows format {}",
                    repository.string(), format, format_version),
        "Use the version of nerve-db that made it, or a newer one.");
  }
}

void make_marker(const std::filesystem::path& repository) {
  // Made under another name first, so that it is never half there; the lock on that name keeps two processes
  // that make the repository at once from locking two different markers.
  const std::filesystem::path marker = repository / marker_file_name;
  const std::filesystem::path partial = repository / partial_marker_file_name;
  {
    const Descriptor lock = open_repository_file(partial, O_RDWR | O_CREAT, 0600);
    lock_exclusive(lock, partial);
    require_one_name(lock, partial);
    if (!has_marker(repository)) {
      if (::ftruncate(lock.number(), 0) != 0) throw_system_error(errno, "cannot write", partial);
      write_text_durably(lock, marker_text(), partial);
      rename_durably(partial, marker);
    }
  }
  remove_repository_file(partial);
}

void rewrite_marker(const std::filesystem::path& repository) {
  const std::filesystem::path marker = repository / marker_file_name;
  const Descriptor file = open_repository_file(marker, O_RDWR);
  lock_exclusive(file, marker);
  require_one_name(file, marker);
  if (::ftruncate(file.number(), 0) != 0) throw_system_error(errno, "cannot write", marker);
  write_text_durably(file, marker_text(), marker);
}

std::string repair_hint(const std::filesystem::path& repository) {
  return fmt::format("Make the marker again from what the folder holds: nerve-db backup repair --repo {}.",
                     shell_word(repository.string()));
}

}  // namespace nerve::backups
