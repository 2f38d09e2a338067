// SPDX-License-Identifier: Apache-2.0
#include "query_log_file.h"

#include "../core/replace_file.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace nerve::db {

namespace {

constexpr int version = 1;
constexpr mode_t owner_only = 0600;

[[noreturn]] void throw_system(const std::string& what, const std::filesystem::path& path) {
  const int code = errno;
  const std::string message = what + " " + path.string() + ": " + std::strerror(code);
  if (code == EACCES || code == EPERM || code == EROFS) {
    throw DeniedError(message, "Name another file with query_log.file, or make its folder writable.");
  }
  throw Error(ErrorKind::unavailable, message, "Name another file with query_log.file.");
}

}  // namespace

QueryLogFile::QueryLogFile(std::filesystem::path file) : file_(std::move(file)) {
  const std::string lock_path = file_.string() + ".lock";
  lock_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
  if (lock_ < 0) throw_system("cannot make", lock_path);
  while (::flock(lock_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    ::close(lock_);
    throw_system("cannot lock", lock_path);
  }
}

QueryLogFile::~QueryLogFile() {
  ::close(lock_);
}

std::optional<Json> QueryLogFile::read_locked() const {
  if (!std::filesystem::exists(file_)) return std::nullopt;
  return read(file_);
}

Json QueryLogFile::read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw NotFoundError(
        "no query log at " + file.string(),
        "It is written by programs that use the library and call QueryLog::merge_into(), and by 'nerve-db "
        "stats' of a PostgreSQL database where query_log.file is set in nerve.toml.");
  }
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    const Json document = Json::parse(text.str());
    if (document.at("nerve_query_log") == version) return document.at("statements");
  } catch (const Json::exception&) {
  }
  throw not_a_log(file);
}

ValidationError QueryLogFile::not_a_log(const std::filesystem::path& file) {
  return ValidationError(file.string() + " is not a query log of this version",
                         "Move the file away; a new one is begun by the next run.");
}

void QueryLogFile::replace(const Json& statements) const {
  const Json document = {{"nerve_query_log", version}, {"statements", statements}};
  replace_file(file_, document.dump() + "\n", "Name another file with query_log.file.");
}

void QueryLogFile::remove() const {
  if (::unlink(file_.c_str()) != 0) throw_system("cannot remove", file_);
}

}  // namespace nerve::db
