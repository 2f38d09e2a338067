// SPDX-License-Identifier: Apache-2.0
#include "migrate_target.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace nerve::cli {

namespace {

using migrations::Ledger;
using migrations::MigrationSet;

Ledger ledger_from(const Arguments& arguments) {
  const auto named = arguments.text("--ledger");
  if (!named) return Ledger();
  try {
    return Ledger(db::Identifier(*named));
  } catch (const ValidationError& error) {
    throw ValidationError("--ledger: " + std::string(error.what()), error.hint());
  }
}

OpenOptions open_options(Context& context, const Arguments& arguments, const DatabaseUrl& url,
                         TargetAccess access) {
  OpenOptions options = context.read_options();
  const bool writes = access == TargetAccess::write;
  options.read_only = !writes && (access == TargetAccess::read || url.engine == db::Dialect::sqlite);
  options.create = writes && arguments.has("--create");
  // A database that is there keeps its journal mode; one that is made gets the better one.
  std::error_code error;
  options.wal =
      options.create && url.engine == db::Dialect::sqlite && !std::filesystem::exists(url.location, error);
  return options;
}

std::unique_ptr<db::Database> open(const DatabaseUrl& url, const OpenOptions& options) {
  try {
    return open_database(url.engine == db::Dialect::sqlite ? "sqlite:" + url.location : url.location,
                         options);
  } catch (const NotFoundError& error) {
    if (url.engine != db::Dialect::sqlite || options.create) throw;
    throw NotFoundError(error.what(),
                        "Correct the path; `nerve-db migrate up --create` makes a new database.");
  }
}

}  // namespace

std::optional<migrations::Reference> MigrationTarget::reference(
    const std::optional<std::string>& text) const {
  if (!text) return std::nullopt;
  return migrations::Reference::parse(*text, set.default_module());
}

std::vector<MigrationTarget> migration_targets(Context& context, const Arguments& arguments,
                                               TargetAccess access) {
  const auto folder = arguments.text("--dir");
  if (!folder) {
    throw ValidationError("no migrations are named",
                          "Add --dir DIR, the folder of your NNNN_name.sql files.");
  }
  const DatabaseUrl url = context.database();
  const std::array dialects{url.engine};
  std::vector<MigrationTarget> targets;
  targets.push_back({url, MigrationSet::from_folder(*folder, dialects), ledger_from(arguments),
                     open(url, open_options(context, arguments, url, access))});
  return targets;
}

std::string current_actor() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const ::passwd* user = ::getpwuid(::geteuid());
  return fmt::format("{}@{}", user == nullptr ? std::to_string(::geteuid()) : std::string(user->pw_name),
                     host.data());
}

}  // namespace nerve::cli
