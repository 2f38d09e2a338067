// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve::convert {

/// Connects with the settings that are relied on; a statement whose client is gone soon ends. Unqualified
/// names mean what the server itself calls so, whatever server, database and role are set to.
postgresql::Session connect_target(const std::string& url, const OpenOptions& options);

/// Has unqualified names mean what they did when the session began, for triggers of tables that are there, to
/// the end of the transaction or to use_server_path().
void use_own_path(postgresql::Session& session);
void use_server_path(postgresql::Session& session);

/// Has the server do what this session asks for by one process, because as many sessions are at work as there
/// are to be processes.
void use_one_process(postgresql::Session& session);
/// Takes that back for what nobody else works beside.
void use_all_processes(postgresql::Session& session);

/// Has the server sort in parts that a processor's cache holds, of a table of so many bytes, where it would
/// use more memory.
void sort_in_cache(postgresql::Session& session, std::int64_t table_bytes);
/// Takes that back.
void sort_in_memory(postgresql::Session& session);

/// Throws UnsupportedError for a server or a database that lacks what is relied on, and DeniedError for one
/// that only reads.
void require_supported_server(postgresql::Session& session);

/// Throws ValidationError for a name that the server would cut or refuse.
void require_schema_name(const std::string& schema);

/// The relations of a schema that belong to no extension: "table users", "view active_users"; at most
/// `count_max`.
std::vector<std::string> relations_of(postgresql::Session& session, const std::string& schema,
                                      std::size_t count_max);

/// Throws NotFoundError that names all tables and columns of a plan which the target lacks.
void require_planned_tables(postgresql::Session& session, const Plan& plan);

/// Makes the schema where it is missing.
void create_schema(postgresql::Session& session, const std::string& schema);

/// Drops the relations of a schema that belong to no extension, inside a transaction. Throws ConflictError
/// where objects of other schemas, or functions, would fall with them.
void drop_relations(postgresql::Session& session, const std::string& schema);

}  // namespace nerve::convert
