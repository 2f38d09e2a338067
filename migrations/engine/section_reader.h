// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <cstdint>
#include <string_view>

namespace nerve::migrations {

/// A line of a migration file, and what it belongs to.
struct SectionLine {
  enum class Kind : std::uint8_t {
    text,     ///< a header, or SQL
    section,  ///< `-- migrate:NAME`
    block,    ///< `-- dialect:NAME`
  };

  Kind kind = Kind::text;
  std::string_view text;     ///< without its line end
  std::string_view section;  ///< the name that the last `-- migrate:` gave, this line included
  std::string_view block;    ///< likewise of `-- dialect:`; empty where the SQL is of all engines
};

/// Takes a migration file apart line by line. A line inside a string, a quoted name or a block comment is
/// SQL, whatever it looks like: it may be data. Borrows the text, whose lines end with LF.
class SectionReader {
 public:
  /// SQL of all engines is read as `dialect` does.
  SectionReader(std::string_view text, db::Dialect dialect) noexcept
      : text_(text), rest_(text), dialect_(dialect) {}

  /// Whether there was another line.
  bool next(SectionLine& line);

 private:
  bool is_inside_token() const;

  std::string_view text_;
  std::string_view rest_;
  db::Dialect dialect_;
  std::string_view section_;
  std::string_view block_;
  std::size_t sql_begin_ = 0;  ///< where the line behind the last marker begins
};

}  // namespace nerve::migrations
