// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace nerve {

/// A line of CSV (RFC 4180) with its CRLF: fields with commas, quotes or line ends in quotes, quotes doubled.
/// A field that a spreadsheet would run as a formula (it begins with = + - @, a tab or CR) gets an apostrophe
/// in front, unless it is a number.
std::string csv_line(std::span<const std::string> fields);

}  // namespace nerve
