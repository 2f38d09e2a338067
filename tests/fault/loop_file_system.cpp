// SPDX-License-Identifier: Apache-2.0
#include "fault/loop_file_system.h"

#include "support/process.h"
#include "support/system_error.h"
#include "support/temp_folder.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nerve::test {
namespace {

// Of fs/ext4/ext4.h, which no installed header has.
constexpr unsigned long ext4_shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t without_flushing_log = 2;

void run_or_throw(const std::vector<std::string>& command) {
  const ProcessResult result = run_process(command);
  if (result.exit_code != 0) throw std::runtime_error(command.front() + " fails: " + result.err);
}

}  // namespace

std::string LoopFileSystem::why_impossible() {
  if (::geteuid() != 0) return "only root can mount";
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return "mounts cannot be kept to this process";
  }
  try {
    const TempFolder folder;
    make(folder / "image", std::uint64_t{8} << 20);
    LoopFileSystem(folder / "image", folder / "mounted").cut_power();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

void LoopFileSystem::make(const std::filesystem::path& image, std::uint64_t size_bytes) {
  if (!std::ofstream(image)) throw std::runtime_error("cannot make " + image.string());
  std::filesystem::resize_file(image, size_bytes);
  run_or_throw({"mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image});
}

LoopFileSystem::LoopFileSystem(const std::filesystem::path& image, std::filesystem::path folder)
    : folder_(std::move(folder)) {
  std::filesystem::create_directory(folder_);
  run_or_throw({"mount", "-t", "ext4", "-o", "loop", image, folder_});
}

LoopFileSystem::~LoopFileSystem() {
  if (::umount2(folder_.c_str(), 0) != 0) ::umount2(folder_.c_str(), MNT_DETACH);
}

void LoopFileSystem::cut_power() const {
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) throw_errno("cannot open the file system");
  const int result = ::ioctl(folder, ext4_shutdown, &without_flushing_log);
  const int code = errno;
  ::close(folder);
  errno = code;
  if (result != 0) throw_errno("cannot shut down the file system");
}

}  // namespace nerve::test
