// SPDX-License-Identifier: Apache-2.0
#include "html.h"

#include "ascii.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nerve::validate {
namespace {

bool is_html_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/// What makes markup of a "<" in front of it: a tag, an end tag, a comment or declaration, a processing
/// instruction.
bool opens_markup(char c) {
  return is_letter(c) || c == '/' || c == '!' || c == '?';
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return to_lower(a) == b; });
}

std::size_t past(std::string_view text, std::string_view end, std::size_t from) {
  const std::size_t found = text.find(end, from);
  return found == std::string_view::npos ? text.size() : found + end.size();
}

/// The offset past the tag whose name starts at `offset`. A ">" inside a quoted attribute value does not end
/// it; a quote anywhere else is an ordinary character.
std::size_t past_tag(std::string_view text, std::size_t offset) {
  enum class At { tag_name, before_name, name, after_name, before_value, unquoted_value };
  At at = At::tag_name;
  for (std::size_t i = offset; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_quote = c == '"' || c == '\'';
    if (at == At::before_value && is_quote) {
      i = text.find(c, i + 1);
      if (i == std::string_view::npos) return text.size();
      at = At::before_name;
    } else if (c == '>') {
      return i + 1;
    } else if (is_html_space(c)) {
      if (at == At::name) at = At::after_name;
      if (at == At::tag_name || at == At::unquoted_value) at = At::before_name;
    } else if (at == At::before_value) {
      at = At::unquoted_value;
    } else if (at != At::unquoted_value && c == '/') {
      at = At::before_name;
    } else if (c == '=' && (at == At::name || at == At::after_name)) {
      at = At::before_value;
    } else if (at == At::before_name || at == At::after_name) {
      at = At::name;
    }
  }
  return text.size();
}

/// The offset past the comment whose "<!--" ends at `offset`; "<!-->" and "<!--->" are empty comments.
std::size_t past_comment(std::string_view text, std::size_t offset) {
  const std::string_view rest = text.substr(offset);
  if (rest.starts_with(">")) return offset + 1;
  if (rest.starts_with("->")) return offset + 2;
  return std::min(past(text, "-->", offset), past(text, "--!>", offset));
}

std::string_view tag_name(std::string_view text, std::size_t offset) {
  std::size_t end = offset;
  while (end < text.size() && !is_html_space(text[end]) && text[end] != '/' && text[end] != '>') ++end;
  return text.substr(offset, end - offset);
}

/// The offset of the end tag that closes raw text, such as that of a script, in which nothing else is markup.
std::size_t raw_text_end(std::string_view text, std::size_t offset, std::string_view name) {
  for (std::size_t i = text.find("</", offset); i != std::string_view::npos; i = text.find("</", i + 2)) {
    if (equals_ignoring_case(tag_name(text, i + 2), name)) return i;
  }
  return text.size();
}

/// The offset past the markup that the "<" at `offset` opens, with the content of scripts and styles.
std::size_t past_markup(std::string_view text, std::size_t offset) {
  const std::string_view rest = text.substr(offset);
  if (rest.starts_with("<!--")) return past_comment(text, offset + 4);
  const bool is_end_tag = rest[1] == '/' && rest.size() > 2 && is_letter(rest[2]);
  if (is_end_tag) return past_tag(text, offset + 2);
  if (!is_letter(rest[1])) return past(text, ">", offset + 2);

  constexpr std::array<std::string_view, 2> unread_elements = {"script", "style"};
  const std::string_view name = tag_name(text, offset + 1);
  const std::size_t end = past_tag(text, offset + 1);
  for (const std::string_view element : unread_elements) {
    if (equals_ignoring_case(name, element)) return raw_text_end(text, end, element);
  }
  return end;
}

}  // namespace

std::string strip_html(std::string_view text) {
  std::string stripped;
  stripped.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '<' && i + 1 < text.size() && opens_markup(text[i + 1])) {
      i = past_markup(text, i);
      continue;
    }
    while (opens_markup(text[i]) && stripped.ends_with('<')) stripped.pop_back();
    stripped += text[i++];
  }
  return stripped;
}

}  // namespace nerve::validate
