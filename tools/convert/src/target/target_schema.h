// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve::convert {

/// Throws UnsupportedError for a server that lacks what is relied on.
void require_supported_server(const postgresql::Session& session);

/// The relations of a schema that belong to no extension: "table users", "view active_users"; at most
/// `count_max`.
std::vector<std::string> relations_of(postgresql::Session& session, const std::string& schema,
                                      std::size_t count_max);

/// Makes the schema where it is missing.
void create_schema(postgresql::Session& session, const std::string& schema);

/// Drops the relations of a schema that belong to no extension, and what depends on them.
void drop_relations(postgresql::Session& session, const std::string& schema);

}  // namespace nerve::convert
