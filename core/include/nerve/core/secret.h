// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nerve {

/// A passphrase or key: move-only, without any way to be printed or compared by accident.
///
/// It lies on memory pages of its own that are left out of core dumps and, where the system grants it
/// (RLIMIT_MEMLOCK), never swapped; they are wiped before they are given back. A moved-from Secret is empty.
/// Not protected against a process of the same user or root that reads this one's memory. Sources are a file,
/// a descriptor, the environment and a prompt: never an argument, which every user of the machine can see.
///
/// The makers throw ValidationError for an empty secret and for one longer than `size_max`.
class Secret {
 public:
  static constexpr std::size_t size_max = 64 * 1024;

  Secret() noexcept = default;
  /// `size` zero bytes, to be written through writable().
  explicit Secret(std::size_t size);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// A copy of `bytes`, whose owner should wipe the original.
  static Secret copy_of(std::span<const std::byte> bytes);

  /// The content of a regular file, less one newline at its end. Throws NotFoundError when it is missing,
  /// DeniedError when it cannot be read or when group or others may read it (the hint is the command that
  /// mends it).
  static Secret from_file(const std::filesystem::path& path);

  /// The same for a file in systemd's $CREDENTIALS_DIRECTORY, whatever its mode: others are kept from the
  /// folder, and the access list by which the user of a service reads it shows as rights of the group.
  static Secret from_credential(const std::filesystem::path& path);

  /// What can be read from a descriptor up to its end, less one newline. Does not close it.
  static Secret from_descriptor(int descriptor);

  /// The value of an environment variable, or nothing where it is not set. The variable is overwritten and
  /// unset, so that children do not inherit it; but until then every process of the same user could read it
  /// from /proc, so a file is better. Changes the environment: call it before other threads are started.
  static std::optional<Secret> from_environment(const std::string& name);

  /// Shows `text` on the terminal of the process (/dev/tty, even when stdin and stdout are redirected) and
  /// reads a line without echo. The terminal is restored however it ends. When SIGINT, SIGTERM, SIGHUP or
  /// SIGQUIT arrives it is restored first, then the signal takes its usual course; if the process goes on,
  /// CancelledError is thrown. After SIGTSTP it asks again. Throws UnsupportedError where there is no
  /// terminal. For one thread at a time.
  static Secret from_prompt(std::string_view text);

  std::span<const std::byte> reveal() const noexcept { return {data_, size_}; }
  std::string_view reveal_text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  std::span<std::byte> writable() noexcept { return {data_, size_}; }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Whether the system promised to keep it out of swap.
  bool locked() const noexcept { return locked_; }

 private:
  void release() noexcept;
  void shorten(std::size_t size) noexcept;
  void drop_newline() noexcept;
  static Secret read_all(int descriptor, const std::string& name);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
  bool locked_ = false;
};

}  // namespace nerve
