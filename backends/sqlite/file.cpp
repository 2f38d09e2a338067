// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/file.h"

#include "sqlite/descriptor.h"

#include "nerve/backends/sqlite/raw_file.h"
#include "nerve/core/error.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>

namespace nerve::sqlite {

namespace {

constexpr std::size_t header_bytes = 100;
constexpr std::string_view header_magic{"SQLite format 3\0", 16};
constexpr std::string_view journal_magic{"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8};

/// As much of a file as is looked at to tell what it is: the first page of an SQLCipher 4 database.
constexpr std::size_t sample_bytes_max = 4096;
constexpr std::size_t sample_bytes_min = 1024;
constexpr std::uint64_t sector_bytes = 512;

/// Pearson's statistic over the 256 values of a byte is 255 ± 23 for random bytes, so that an encrypted page
/// stays below 400 in all but one case of a hundred million; text, programs and tables reach thousands.
constexpr double chi_square_max = 400.0;

using Sample = std::array<unsigned char, sample_bytes_max>;

bool is_random_like(std::span<const unsigned char> sample) {
  if (sample.size() < sample_bytes_min) return false;
  std::array<double, 256> counts{};
  for (const unsigned char byte : sample) counts[byte] += 1.0;
  const double expected = static_cast<double>(sample.size()) / 256.0;
  double chi_square = 0.0;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  return chi_square <= chi_square_max;
}

std::uint32_t big_endian(std::span<const unsigned char> bytes, std::size_t offset, std::size_t width) {
  std::uint32_t value = 0;
  for (const unsigned char byte : bytes.subspan(offset, width)) value = value << 8 | byte;
  return value;
}

TextEncoding encoding_of(std::uint32_t value) {
  switch (value) {
    case 0:
      return TextEncoding::unset;
    case 1:
      return TextEncoding::utf8;
    case 2:
      return TextEncoding::utf16_little_endian;
    case 3:
      return TextEncoding::utf16_big_endian;
    default:
      return TextEncoding::invalid;
  }
}

FileHeader parse_header(std::span<const unsigned char> bytes) {
  constexpr std::uint32_t page_size_min = 512;
  constexpr std::uint32_t page_size_max = 65536;
  constexpr unsigned char wal_version = 2;
  FileHeader header;
  const std::uint32_t page_size = big_endian(bytes, 16, 2);
  header.page_size_bytes = page_size == 1 ? page_size_max : page_size;
  if (header.page_size_bytes < page_size_min || !std::has_single_bit(header.page_size_bytes))
    header.page_size_bytes = 0;
  header.is_wal = bytes[18] == wal_version || bytes[19] == wal_version;
  header.reserved_bytes = bytes[20];
  header.change_counter = big_endian(bytes, 24, 4);
  header.page_count = big_endian(bytes, 28, 4);
  header.free_page_count = big_endian(bytes, 36, 4);
  header.schema_cookie = big_endian(bytes, 40, 4);
  header.encoding = encoding_of(big_endian(bytes, 56, 4));
  header.user_version = big_endian(bytes, 60, 4);
  header.application_id = big_endian(bytes, 68, 4);
  header.has_valid_page_count = header.page_count > 0 && big_endian(bytes, 92, 4) == header.change_counter;
  header.sqlite_version_number = big_endian(bytes, 96, 4);
  return header;
}

/// Reads the beginning of a file; nothing where it may not be read.
std::optional<std::size_t> read_sample(const std::filesystem::path& path, Sample& sample) {
  try {
    return RawFile(path).read(0, std::as_writable_bytes(std::span(sample)));
  } catch (const DeniedError&) {
    return std::nullopt;
  } catch (const NotFoundError&) {
    return std::nullopt;
  }
}

void tell_content(FileFacts& facts) {
  Sample sample{};
  const auto filled = read_sample(facts.path, sample);
  if (!filled) {
    facts.kind = FileKind::denied;
    return;
  }
  const std::span<const unsigned char> seen(sample.data(), *filled);
  const auto begins_with = [&](std::string_view magic) {
    return seen.size() >= magic.size() && std::memcmp(seen.data(), magic.data(), magic.size()) == 0;
  };
  if (begins_with(header_magic)) {
    facts.kind = FileKind::sqlite;
    if (seen.size() >= header_bytes) facts.header = parse_header(seen);
  } else if (facts.size_bytes % sector_bytes == 0 && is_random_like(seen)) {
    facts.kind = FileKind::maybe_encrypted;
  } else {
    facts.kind = FileKind::not_sqlite;
  }
}

std::optional<std::uint64_t> size_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

bool begins_as_journal(const std::filesystem::path& path) {
  const Descriptor journal = open_for_reading(path);
  std::array<char, journal_magic.size()> beginning{};
  return journal &&
         ::pread(journal.number(), beginning.data(), beginning.size(), 0) == std::ssize(beginning) &&
         std::string_view(beginning.data(), beginning.size()) == journal_magic;
}

void tell_companions(FileFacts& facts) {
  facts.wal_bytes = size_of(companion(facts.path, "-wal"));
  facts.shm_bytes = size_of(companion(facts.path, "-shm"));
  facts.journal_bytes = size_of(companion(facts.path, "-journal"));
  facts.is_journal_live =
      facts.journal_bytes.value_or(0) > 0 && begins_as_journal(companion(facts.path, "-journal"));
}

std::filesystem::path canonical_path(const std::filesystem::path& path) {
  std::error_code failed;
  auto canonical = std::filesystem::weakly_canonical(path, failed);
  if (!failed && canonical.is_absolute()) return canonical;
  canonical = std::filesystem::absolute(path, failed);
  return failed ? path : canonical.lexically_normal();
}

constexpr std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::string_view to_string(FileKind kind) noexcept {
  switch (kind) {
    case FileKind::missing:
      return "missing";
    case FileKind::folder:
      return "folder";
    case FileKind::not_regular:
      return "not_regular";
    case FileKind::denied:
      return "denied";
    case FileKind::empty:
      return "empty";
    case FileKind::sqlite:
      return "sqlite";
    case FileKind::maybe_encrypted:
      return "maybe_encrypted";
    case FileKind::not_sqlite:
      return "not_sqlite";
  }
  return "not_sqlite";
}

std::string_view to_string(TextEncoding encoding) noexcept {
  switch (encoding) {
    case TextEncoding::unset:
      return "unset";
    case TextEncoding::utf8:
      return "UTF-8";
    case TextEncoding::utf16_little_endian:
      return "UTF-16le";
    case TextEncoding::utf16_big_endian:
      return "UTF-16be";
    case TextEncoding::invalid:
      return "invalid";
  }
  return "invalid";
}

std::filesystem::path companion(const std::filesystem::path& database, std::string_view suffix) {
  std::filesystem::path path = database;
  path += suffix;
  return path;
}

FileFacts read_file_facts(const std::filesystem::path& path) {
  FileFacts facts;
  facts.path = canonical_path(path);
  struct stat status {};
  if (::stat(facts.path.c_str(), &status) != 0) {
    if (errno == EACCES || errno == EPERM) facts.kind = FileKind::denied;
    return facts;
  }
  facts.size_bytes = static_cast<std::uint64_t>(status.st_size);
  facts.device = status.st_dev;
  facts.inode = status.st_ino;
  facts.mode = status.st_mode & 07777;
  facts.owner = status.st_uid;
  facts.modified_ns = nanoseconds(status.st_mtim);
  if (S_ISDIR(status.st_mode)) {
    facts.kind = FileKind::folder;
  } else if (!S_ISREG(status.st_mode)) {
    facts.kind = FileKind::not_regular;
  } else {
    tell_companions(facts);
    if (::access(facts.path.c_str(), R_OK) != 0) {
      facts.kind = FileKind::denied;
    } else if (facts.size_bytes == 0) {
      facts.kind = FileKind::empty;
    } else {
      tell_content(facts);
    }
  }
  return facts;
}

void require_database(const FileFacts& facts) {
  const std::string name = facts.path.string();
  switch (facts.kind) {
    case FileKind::empty:
    case FileKind::sqlite:
      return;
    case FileKind::missing:
      throw NotFoundError("there is no file " + name,
                          "Check the path: a database is never created by looking at it.");
    case FileKind::folder:
      throw ValidationError(name + " is a folder, not a database file", "Name the file inside the folder.");
    case FileKind::not_regular:
      throw ValidationError(name + " is a pipe, socket or device, not a database file",
                            "Name a regular file.");
    case FileKind::denied:
      throw DeniedError(
          "may not read " + name,
          "Run the command as the owner of the file, or let its owner permit it (chmod, chown).");
    case FileKind::maybe_encrypted:
      throw IntegrityError(name + " may be encrypted (SQLCipher or similar) or is not an SQLite database",
                           "Decrypt it with the program that wrote it, then name the decrypted file.");
    case FileKind::not_sqlite:
      throw IntegrityError(name + " is not an SQLite database",
                           "Check the path; if it was a database, restore it from a backup.");
  }
}

}  // namespace nerve::sqlite
