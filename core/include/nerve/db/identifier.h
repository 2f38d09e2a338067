// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::db {

/// The name of a table or column that becomes part of a statement.
///
/// Lower-case letters, digits and underscores, beginning with a letter, at most 63 characters (PostgreSQL's
/// limit): what both engines read alike, quoted or not. Throws ValidationError for anything else, so no value
/// can pass as a name.
class Identifier {
 public:
  static constexpr std::size_t length_max = 63;

  Identifier(
      std::string_view name);  // NOLINT(google-explicit-constructor): a name in a call should read as a name
  Identifier(const char* name) : Identifier(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)

  const std::string& name() const noexcept { return name_; }
  /// The name in double quotes.
  std::string quoted() const { return '"' + name_ + '"'; }

  friend bool operator==(const Identifier&, const Identifier&) = default;

 private:
  std::string name_;
};

/// Any name inside double quotes, quotes in it doubled: what both engines read as that name. For names that a
/// database itself told; ours are Identifiers. Throws ValidationError for a name with a NUL.
std::string quote_name(std::string_view name);

}  // namespace nerve::db
