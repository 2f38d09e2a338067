// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/secret.h"

#include "readable_file.h"

#include "nerve/core/error.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

namespace nerve {

namespace {

constexpr std::size_t first_read_bytes = 1024;

std::size_t rounded_to_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

/// Fills `into` and returns how many bytes came: fewer only at the end of what can be read.
std::size_t read_fully(int descriptor, std::span<std::byte> into, const std::string& name) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t count = read(descriptor, into.data() + filled, into.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Error(ErrorKind::failure,
                  "cannot read the secret from " + name + ": " + std::generic_category().message(errno));
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

void require_regular(const ReadableFile& file) {
  if (!S_ISREG(file.status().st_mode)) throw ValidationError(file.name() + " is not a regular file");
}

void require_private(const ReadableFile& file, const std::filesystem::path& path) {
  require_regular(file);
  const struct stat status = file.status();
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw DeniedError(file.name() + " is open to group or others", "Run: chmod 600 '" + path.string() + "'");
  }
}

}  // namespace

Secret::Secret(std::size_t size) : size_(size) {
  if (size == 0) return;
  mapped_ = rounded_to_pages(size);
  void* pages = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(pages);
  locked_ = mlock(pages, mapped_) == 0;
  // Where it is refused, a core dump may hold the secret; there is nothing better to do about it here.
  static_cast<void>(madvise(pages, mapped_, MADV_DONTDUMP));
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)),
      locked_(std::exchange(other.locked_, false)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  mapped_ = std::exchange(other.mapped_, 0);
  locked_ = std::exchange(other.locked_, false);
  return *this;
}

Secret::~Secret() {
  release();
}

void Secret::release() noexcept {
  if (data_ == nullptr) return;
  explicit_bzero(data_, mapped_);
  munmap(data_, mapped_);
  data_ = nullptr;
  size_ = 0;
  mapped_ = 0;
  locked_ = false;
}

void Secret::shorten(std::size_t size) noexcept {
  if (size >= size_) return;
  explicit_bzero(data_ + size, size_ - size);
  size_ = size;
}

void Secret::drop_newline() noexcept {
  if (!empty() && data_[size_ - 1] == std::byte{'\n'}) shorten(size_ - 1);
}

Secret Secret::copy_of(std::span<const std::byte> bytes) {
  if (bytes.empty()) throw ValidationError("the secret is empty");
  if (bytes.size() > size_max) throw ValidationError("the secret is longer than 64 KiB");
  Secret secret(bytes.size());
  std::memcpy(secret.data_, bytes.data(), bytes.size());
  return secret;
}

Secret Secret::read_all(int descriptor, const std::string& name) {
  // One byte and a newline more than may be, to see that there is more. Doubling keeps every copy in locked
  // pages.
  constexpr std::size_t capacity_max = size_max + 2;
  Secret secret(first_read_bytes);
  std::size_t filled = read_fully(descriptor, secret.writable(), name);
  while (filled == secret.size() && filled < capacity_max) {
    Secret larger(std::min(secret.size() * 2, capacity_max));
    std::memcpy(larger.data_, secret.data_, filled);
    secret = std::move(larger);
    filled += read_fully(descriptor, secret.writable().subspan(filled), name);
  }
  secret.shorten(filled);
  secret.drop_newline();
  if (secret.empty()) throw ValidationError("the secret from " + name + " is empty");
  if (secret.size() > size_max) throw ValidationError("the secret from " + name + " is longer than 64 KiB");
  return secret;
}

Secret Secret::from_file(const std::filesystem::path& path) {
  const ReadableFile file("secret file", path);
  require_private(file, path);
  return read_all(file.descriptor(), file.name());
}

Secret Secret::from_credential(const std::filesystem::path& path) {
  const ReadableFile file("credential", path);
  require_regular(file);
  return read_all(file.descriptor(), file.name());
}

Secret Secret::from_descriptor(int descriptor) {
  return read_all(descriptor, "descriptor " + std::to_string(descriptor));
}

std::optional<Secret> Secret::from_environment(const std::string& name) {
  char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  if (text.empty())
    throw ValidationError("environment variable " + name + " is empty", "Set it, or unset it.");
  if (text.size() > size_max)
    throw ValidationError("environment variable " + name + " is longer than 64 KiB");
  Secret secret = copy_of(std::as_bytes(std::span(text)));
  explicit_bzero(value, text.size());
  unsetenv(name.c_str());
  return secret;
}

}  // namespace nerve
