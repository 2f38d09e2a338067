// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/arguments.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/command.h"
#include "nerve/core/json.h"
#include "nerve/core/output.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the commands about backups say and ask for alike.
namespace nerve::cli {

/// What a program must know of a backup: its manifest, and where it lies.
Json manifest_json(const backups::Manifest& manifest, const backups::Repository& repository);

/// "984.0 KiB, 15,607 rows", without the rows where they were not counted.
std::string extent_of(const backups::Manifest& manifest);

/// "a delta", "an encrypted full", "a plain copy".
std::string described_form(const backups::Manifest& manifest);

/// "plain", "full" or "delta", and whether it is encrypted.
std::string form_of(const backups::Manifest& manifest);

std::ptrdiff_t count_unreadable(const std::vector<backups::Entry>& entries);
void warn_of_unreadable(Output& output, const std::vector<backups::Entry>& entries,
                        const backups::Repository& repository);

/// The backup that the operand ID names, or the newest.
backups::Manifest manifest_from(Context& context, const Arguments& arguments,
                                const backups::Repository& repository);

Argument id_operand(bool required);

/// --db with another description.
Argument whose_option(std::string_view description);

/// --also.
Argument also_option();

/// The second folder, if any: --also, else backup.also.
std::optional<std::filesystem::path> second_folder(Context& context, const Arguments& arguments);

std::vector<Argument> with_key_options(std::vector<Argument> options);

}  // namespace nerve::cli
