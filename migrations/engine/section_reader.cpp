// SPDX-License-Identifier: Apache-2.0
#include "section_reader.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/db/sql_scanner.h"

#include <optional>

namespace nerve::migrations {

namespace {

constexpr std::string_view section_marker = "-- migrate:";
constexpr std::string_view block_marker = "-- dialect:";
static_assert(section_marker.size() == block_marker.size());

std::optional<db::Dialect> dialect_of(std::string_view block) {
  for (const db::Dialect dialect : {db::Dialect::sqlite, db::Dialect::postgresql}) {
    if (block == db::to_string(dialect)) return dialect;
  }
  return std::nullopt;
}

}  // namespace

bool SectionReader::next(SectionLine& line) {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  line.text = rest_.substr(0, end);
  line.kind = SectionLine::Kind::text;
  const bool is_section = line.text.starts_with(section_marker);
  if ((is_section || line.text.starts_with(block_marker)) && !is_inside_token()) {
    line.kind = is_section ? SectionLine::Kind::section : SectionLine::Kind::block;
    const std::string_view name = trimmed(line.text.substr(section_marker.size()));
    if (is_section) section_ = name;
    block_ = is_section || name == "end" ? std::string_view() : name;
    sql_begin_ = text_.size() - rest_.size() + (end == std::string_view::npos ? rest_.size() : end + 1);
  }
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  line.section = section_;
  line.block = block_;
  return true;
}

/// Whether a quote or a comment that began after the last marker is still open where the line begins.
bool SectionReader::is_inside_token() const {
  if (section_.empty()) return false;
  const std::size_t line_begin = text_.size() - rest_.size();
  db::SqlScanner scanner(text_.substr(sql_begin_, line_begin - sql_begin_),
                         dialect_of(block_).value_or(dialect_));
  try {
    while (scanner.next().kind != db::SqlTokenKind::end) {
    }
  } catch (const ValidationError&) {
    return true;
  }
  return false;
}

}  // namespace nerve::migrations
