// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/module.h"
#include "nerve/store.h"

#include <span>
#include <string>
#include <string_view>

namespace nerve::workspace {

/// The SQL that gives a PostgreSQL database of a store its three roles: the owner, who migrates; the
/// application, which may do with each table what its facts permit; and the auditor, who may read what is not
/// sealed. No role can connect to the database of the other store, and none has a password: the administrator
/// sets it.
///
/// It is for psql, run by a superuser in that database. It may be run again, and has to be after each
/// migration, because a new table is open to nobody but its owner. Names of roles begin with "nerve_core_" or
/// "nerve_secure_".
std::string role_statements(std::span<const Module* const> modules, Store store, std::string_view database);

}  // namespace nerve::workspace
