// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::migrations {

/// A statement of a migration as it runs in a scratch database of PostgreSQL: without CONCURRENTLY, which no
/// transaction permits. Empty for what makes nothing that is compared, and is left out: changes of data,
/// upkeep, grants, owners and comments, and what is of the whole server or brings something from elsewhere
/// (roles, databases, extensions, COPY, foreign servers, subscriptions).
///
/// This list protects nobody: what a statement can reach is decided by where it runs, and with which rights.
/// Throws UnsupportedError for DROP OWNED, which would take from the replay what it stands on.
std::string for_scratch(std::string_view statement);

}  // namespace nerve::migrations
