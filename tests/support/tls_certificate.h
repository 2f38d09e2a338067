// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace nerve::test {

/// Writes a new P-256 key (mode 0600) and a certificate that it signed itself for the address 127.0.0.1 and
/// the name localhost, valid for one day, both as PEM.
void write_tls_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace nerve::test
