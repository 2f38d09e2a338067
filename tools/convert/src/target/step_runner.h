// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/ledger.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

#include <string>

namespace nerve::convert {

/// Whether each piece of work is a transaction of its own, or all of it belongs to one that is open.
enum class Transactions : std::uint8_t { each, one };

/// Runs a step with its entry in the ledger, under `key`. Returns why the server refused it, which is entered
/// as well; empty where it was done. A server that cannot be reached, or lacks space, is no refusal but
/// thrown.
std::string run_step(postgresql::Session& session, const Ledger& ledger, const Step& step,
                     const std::string& key, Transactions transactions);

}  // namespace nerve::convert
