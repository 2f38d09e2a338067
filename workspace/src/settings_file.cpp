// SPDX-License-Identifier: Apache-2.0
#include "settings_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nerve::workspace {

namespace {

constexpr mode_t owner_only = 0600;

[[noreturn]] void throw_system(std::string_view what, const std::filesystem::path& path) {
  const int code = errno;
  const std::string message = fmt::format("{} {}: {}", what, path.string(), std::strerror(code));
  if (code == EEXIST) throw ConflictError(message, "Name another folder.");
  if (code == EACCES || code == EPERM || code == EROFS) {
    throw DeniedError(message, "Name a folder that this user may write to.");
  }
  throw Error(ErrorKind::unavailable, message, "Free space, or name another folder.");
}

/// Closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), flags, owner_only)) {
    if (number_ < 0) throw_system("cannot open", path);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(number_); }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

void write_all(const Descriptor& file, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.number(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_system("cannot write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0) throw_system("cannot write", path);
}

/// A basic string of TOML 1.0.
std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      throw ValidationError("a database's name holds a control character", "Write the name without it.");
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string settings_text(const NewSettings& settings) {
  return fmt::format(
      "# The settings of this workspace; docs/workspace.md lists what there is.\n"
      "[workspace]\nid = {}\n\n[database]\nurl = {}\nsecure_url = {}\n\n[backup]\nrepository = \"backups\"\n",
      toml_string(settings.id.to_string()), toml_string(settings.core_url), toml_string(settings.secure_url));
}

void write_settings(const std::filesystem::path& file, std::string_view text) {
  // Whole before it has its name; what a crash leaves of it is overwritten by the next run.
  const std::filesystem::path draft = file.string() + ".new";
  {
    const Descriptor descriptor(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
    write_all(descriptor, text, draft);
  }
  rename_settings(draft, file);
}

void rename_settings(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    throw_system("cannot make", to);
  }
  const Descriptor folder(to.parent_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (::fsync(folder.number()) != 0) throw_system("cannot sync", to.parent_path());
}

}  // namespace nerve::workspace
