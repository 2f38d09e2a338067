// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace nerve::backends {

/// Who else can have put something into a schema, where a name without a schema would find it and run it as
/// whoever runs a command (CVE-2018-1058).
///
/// Trusted are the current role, superusers and the owner of the database. A schema is trusted when its owner
/// is, when everyone who may create in it is, and when all relations, functions, operators and types in it
/// are owned by those who are.
struct SchemaTrust {
  std::string schema;        ///< as a statement writes it; empty where there is none
  std::string owner;         ///< of the schema, where not trusted
  std::string creators;      ///< who may create in it and is not trusted, separated by commas
  std::string object;        ///< one in it that is not owned by who is trusted: "function public.lower(text)"
  std::string object_owner;  ///< whose it is

  bool is_trusted() const noexcept { return owner.empty() && creators.empty() && object.empty(); }
  /// Throws DeniedError that says who and what to do, unless it is trusted.
  void require(const std::string& database) const;
};

/// The search_path of a role as far as it can be trusted.
struct TrustedPath {
  /// The schema that is current, trusted or not, then the others of the path that are, then pg_temp.
  std::string text;
  SchemaTrust current;
};

/// A query with one row, which read_trusted_path() reads. `columns` are further ones, with a comma before
/// each; `condition` is what stands behind WHERE.
///
/// Everything in it is named with its schema, operators as well: until it has run, any schema may come first.
std::string trusted_path_sql(std::string_view columns, std::string_view condition);
/// What `columns` can hold: the path to be set, in which a schema that is current and not trusted is not.
std::string_view safe_path_expression() noexcept;
TrustedPath read_trusted_path(const PGresult* result);

/// A query with one row for the schema of that name, or none where it is not there. `name` is a literal.
std::string schema_trust_sql(std::string_view name);
SchemaTrust read_schema_trust(const PGresult* result);

}  // namespace nerve::backends
