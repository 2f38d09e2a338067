// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::sqlite {

/// What stands at a path, told without SQLite opening it.
enum class FileKind : std::uint8_t {
  missing,          ///< nothing is there
  folder,           ///< a folder
  not_regular,      ///< a pipe, socket or device
  denied,           ///< the file, or a folder on the way to it, may not be read
  empty,            ///< zero bytes: to SQLite an empty database
  sqlite,           ///< begins as an SQLite database does; it may still be damaged
  maybe_encrypted,  ///< bytes without structure, in whole sectors: SQLCipher or a similar format, or no
                    ///< database
  not_sqlite,       ///< something else
};

/// "missing", "folder", … as JSON output spells it.
std::string_view to_string(FileKind kind) noexcept;

/// The encoding that the header of a database names.
enum class TextEncoding : std::uint8_t { unset, utf8, utf16_little_endian, utf16_big_endian, invalid };

/// "unset", "UTF-8", "UTF-16le", "UTF-16be" or "invalid".
std::string_view to_string(TextEncoding encoding) noexcept;

/// The first 100 bytes of a database (https://www.sqlite.org/fileformat2.html#the_database_header).
struct FileHeader {
  std::uint32_t page_size_bytes = 0;  ///< 0 where the header holds no valid one
  std::uint8_t reserved_bytes = 0;    ///< kept free at the end of each page
  bool is_wal = false;                ///< whether the journal mode is WAL (bytes 18 and 19)
  std::uint32_t change_counter = 0;   ///< raised by each transaction in rollback mode
  std::uint32_t page_count = 0;       ///< only to be believed where `has_valid_page_count`
  std::uint32_t free_page_count = 0;
  std::uint32_t schema_cookie = 0;
  TextEncoding encoding = TextEncoding::unset;
  std::uint32_t user_version = 0;
  std::uint32_t application_id = 0;
  std::uint32_t sqlite_version_number = 0;  ///< of the library that wrote last, such as 3040001
  bool has_valid_page_count = false;        ///< a library before 3.7.0 did not keep it up to date
};

/// Facts of a database file. The sizes of the companions are absent where there is no such file.
struct FileFacts {
  std::filesystem::path path;  ///< canonical: absolute, symbolic links resolved
  FileKind kind = FileKind::missing;
  std::uint64_t size_bytes = 0;
  ::dev_t device = 0;
  ::ino_t inode = 0;
  ::mode_t mode = 0;  ///< permission bits only
  ::uid_t owner = 0;
  std::int64_t modified_ns = 0;      ///< since 1970
  std::optional<FileHeader> header;  ///< present for FileKind::sqlite of at least 100 bytes
  std::optional<std::uint64_t> wal_bytes;
  std::optional<std::uint64_t> shm_bytes;
  std::optional<std::uint64_t> journal_bytes;
  /// Whether the rollback journal has a valid beginning: a transaction is under way, or one was cut off and
  /// will be rolled back by whoever opens the database next.
  bool is_journal_live = false;
};

/// The path of a companion: "-wal", "-shm" or "-journal" added to the name.
std::filesystem::path companion(const std::filesystem::path& database, std::string_view suffix);

/// Looks at `path` without changing anything and without taking part in SQLite's locking.
///
/// Closing a descriptor of a file drops every POSIX lock that the process holds on it, also those of an open
/// SQLite connection. So where this process has the file open already, that descriptor is read, and no other
/// is opened. Never throws for what stands at the path; throws Error where reading fails (an I/O error).
FileFacts read_file_facts(const std::filesystem::path& path);

/// Throws the error that fits when `facts` are not those of a database that can be opened: NotFoundError,
/// DeniedError, ValidationError (a folder, a pipe) or IntegrityError (not a database, or encrypted). A file
/// of zero bytes passes.
void require_database(const FileFacts& facts);

/// A process that has a database or its -wal or -shm open.
struct Holder {
  ::pid_t pid = 0;
  std::string command;  ///< its short name, as /proc/PID/comm gives it
};

/// The processes that have a database open, this one excepted.
struct Holders {
  std::vector<Holder> processes;  ///< ordered by pid
  std::size_t unreadable = 0;     ///< processes whose descriptors may not be read
  bool is_scanned = false;        ///< false where there is no /proc

  /// Whether every process was looked at, so that an empty list means that nobody has the file open.
  bool is_complete() const noexcept { return is_scanned && unreadable == 0; }
  /// "sqlite3 (pid 4711), python3 (pid 4712)"; at most five are named.
  std::string describe() const;
};

/// Finds them by device and inode in /proc/*/fd. Processes in other containers or on other machines are not
/// seen.
Holders find_holders(const std::filesystem::path& database);

/// Tells, and keeps watching, whether anybody else has a file open, by a lease of the Linux kernel
/// (F_SETLEASE).
///
/// While a lease is held, whoever opens the file waits for its end, at most /proc/sys/fs/lease-break-time
/// seconds. So hold it briefly, and do not open the file in this process meanwhile. The kernel announces such
/// an attempt by SIGURG, which is ignored unless the program asks for it. Not thread-safe.
class ExclusiveLease {
 public:
  enum class State : std::uint8_t {
    held,         ///< nobody else has the file open
    busy,         ///< somebody has, perhaps this process
    unsupported,  ///< the file is not ours, or its file system knows no leases
  };

  /// Tries once, on any regular file; throws what require_database() throws for the rest.
  explicit ExclusiveLease(const std::filesystem::path& path);
  ExclusiveLease(ExclusiveLease&& other) noexcept;
  ExclusiveLease& operator=(ExclusiveLease&& other) noexcept;
  ~ExclusiveLease();

  State state() const noexcept { return state_; }
  /// Whether the lease is held and nobody has tried to open the file since.
  bool is_undisturbed() const noexcept;
  /// Ends the lease before the destructor does.
  void release() noexcept;

 private:
  int descriptor_ = -1;
  State state_ = State::unsupported;
};

}  // namespace nerve::sqlite
