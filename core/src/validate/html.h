// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::validate {

/// The text outside tags, comments, declarations, scripts and styles, by the tokenizer of the HTML standard
/// (§13.2.5).
///
/// Takes linear time. A "<" that opens nothing is text and stays, unless what follows it was removed and it
/// would now open a tag: then it goes too, so that the result holds no markup. Character references are not
/// decoded.
std::string strip_html(std::string_view text);

}  // namespace nerve::validate
