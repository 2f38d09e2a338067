// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace nerve::bench {

/// The largest tables first.
inline constexpr const char* sample_tables[] = {"security_events", "audit_log", "findings", "event_tags",
                                                "users"};

/// Makes a database of `rows` rows in five tables, about 1.1 GB at 5,000,000: with 12 indexes and 4 foreign
/// keys, or with neither, to see what the data alone take.
enum class SampleKind { whole, data_only };
void make_sample(const std::filesystem::path& path, int rows, SampleKind kind);

}  // namespace nerve::bench
