// SPDX-License-Identifier: Apache-2.0
#include "logical_types.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/db/identifier.h"
#include "nerve/db/sql_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

namespace nerve::migrations {

namespace {

/// What a type stands for. `$c` is the column's name, which stands before the type; `$1` is the argument in
/// parentheses, `$*` all of them as quoted texts.
struct LogicalType {
  std::string_view name;
  bool takes_argument;
  std::string_view sqlite;
  std::string_view postgresql;
};

constexpr std::array types{
    LogicalType{"id", false, "TEXT CHECK (length($c) = 36)", "uuid"},
    LogicalType{"ts", false, "TEXT CHECK (length($c) = 27)", "timestamptz"},
    LogicalType{"str", true, "TEXT CHECK (length($c) <= $1)", "varchar($1)"},
    LogicalType{"text", false, "TEXT", "text"},
    LogicalType{"num", false, "INTEGER", "bigint"},
    LogicalType{"real", false, "REAL", "double precision"},
    LogicalType{"bool", false, "INTEGER CHECK ($c IN (0, 1))", "boolean"},
    LogicalType{"json", false, "TEXT CHECK (json_valid($c))", "jsonb"},
    LogicalType{"list", false, "TEXT CHECK (json_valid($c) AND json_type($c) = 'array')",
                "jsonb CHECK (jsonb_typeof($c) = 'array')"},
    LogicalType{"ip", false, "TEXT", "inet"},
    LogicalType{"bytes", false, "BLOB", "bytea"},
    LogicalType{"money", false, "INTEGER", "bigint"},
    LogicalType{"currency", false, "TEXT CHECK (length($c) = 3)", "char(3)"},
    LogicalType{"enum", true, "TEXT CHECK ($c IN ($*))", "text CHECK ($c IN ($*))"},
    LogicalType{"sealed", false, "TEXT", "text"},
    LogicalType{"active", false, "INTEGER GENERATED ALWAYS AS (deleted_at IS NULL) VIRTUAL",
                "boolean GENERATED ALWAYS AS (deleted_at IS NULL) STORED"},
    LogicalType{"true", false, "1", "true"},
    LogicalType{"false", false, "0", "false"},
    LogicalType{"now", false, "(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')", "now()"},
    LogicalType{"strict", false, "STRICT", ""},
    LogicalType{
        "touch", true,
        "CREATE TRIGGER $1_touch AFTER UPDATE ON $1 FOR EACH ROW WHEN NEW.updated_at IS OLD.updated_at "
        "BEGIN UPDATE $1 SET updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' "
        "WHERE rowid = NEW.rowid; END",
        "CREATE TRIGGER $1_touch BEFORE UPDATE ON $1 FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT "
        "FROM OLD.updated_at) EXECUTE FUNCTION nerve_touch()"},
    LogicalType{"tenant_wall", true, "",
                "ALTER TABLE $1 ENABLE ROW LEVEL SECURITY; ALTER TABLE $1 FORCE ROW LEVEL SECURITY; "
                "CREATE POLICY of_tenant ON $1 USING (tenant_id = CAST(nullif(nullif(current_setting("
                "'nerve.tenant', true), ''), '*') AS uuid)); "
                "CREATE POLICY of_all_tenants ON $1 USING (current_setting('nerve.tenant', true) = '*')"},
};

class Expander {
 public:
  Expander(std::string_view text, db::Dialect dialect, std::string_view file)
      : text_(text), dialect_(dialect), file_(file) {}

  std::string expand() {
    std::string expanded;
    std::size_t at = 0;
    db::SqlToken last;  // before the token at hand; of a logical type its brace
    db::SqlScanner scanner(text_, dialect_);
    for (db::SqlToken token = next(scanner); token.kind != db::SqlTokenKind::end; token = next(scanner)) {
      const std::size_t open = token.offset;
      if (open < at) continue;
      const db::SqlToken before = std::exchange(last, token);
      if (!token.is_symbol('{') || !text_.substr(open).starts_with("{{")) continue;
      const std::size_t close = text_.find("}}", open);
      if (close == std::string_view::npos ||
          text_.substr(open, close - open).find('\n') != std::string_view::npos) {
        fail(open, "a logical type that is not closed", "Add the missing }}.");
      }
      expanded += text_.substr(at, open - at);
      expanded += replacement(open, text_.substr(open + 2, close - open - 2), before);
      at = close + 2;
    }
    expanded += text_.substr(at);
    return expanded;
  }

 private:
  db::SqlToken next(db::SqlScanner& scanner) const {
    try {
      return scanner.next();
    } catch (const ValidationError& error) {
      throw ValidationError(fmt::format("{}: {} ({})", file_, error.what(), db::to_string(dialect_)),
                            error.hint());
    }
  }

  std::string replacement(std::size_t place, std::string_view written, const db::SqlToken& before) const {
    const std::size_t parenthesis = written.find('(');
    const std::string_view name = written.substr(0, parenthesis);
    const auto* type =
        std::find_if(types.begin(), types.end(), [&](const auto& t) { return t.name == name; });
    if (type == types.end()) {
      std::vector<std::string_view> names;
      names.reserve(types.size());
      for (const LogicalType& known : types) names.push_back(known.name);
      const auto meant = closest_match(name, names);
      fail(place, fmt::format("unknown logical type {{{{{}}}}}", name),
           meant ? fmt::format("Did you mean {{{{{}}}}}?", *meant) : "docs/migrations.md lists them.");
    }
    const bool has_argument = parenthesis != std::string_view::npos;
    if (has_argument != type->takes_argument || (has_argument && !written.ends_with(')'))) {
      fail(place,
           fmt::format("{{{{{}}}}} is written {}", name,
                       type->takes_argument ? "with an argument in parentheses" : "without an argument"),
           "docs/migrations.md shows each logical type.");
    }
    const std::string_view argument =
        has_argument ? written.substr(parenthesis + 1, written.size() - parenthesis - 2) : std::string_view();
    return fill(place, dialect_ == db::Dialect::sqlite ? type->sqlite : type->postgresql, argument, before);
  }

  std::string fill(std::size_t place, std::string_view pattern, std::string_view argument,
                   const db::SqlToken& before) const {
    std::string filled;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] != '$') {
        filled += pattern[i];
        continue;
      }
      const char what = pattern[++i];
      if (what == 'c') filled += column(place, before);
      if (what == '1') filled += plain_argument(place, argument);
      if (what == '*') filled += quoted_arguments(place, argument);
    }
    return filled;
  }

  /// The name before the type, as written.
  std::string column(std::size_t place, const db::SqlToken& before) const {
    const bool is_number =
        !before.text.empty() && std::isdigit(static_cast<unsigned char>(before.text[0])) != 0;
    const bool is_name =
        before.kind == db::SqlTokenKind::quoted_name || (before.kind == db::SqlTokenKind::word && !is_number);
    if (!is_name) {
      fail(place, "a logical type without a column's name before it",
           "Write the name first, quoted or not: email {{str(255)}}.");
    }
    return std::string(before.text);
  }

  std::string plain_argument(std::size_t place, std::string_view argument) const {
    const bool is_word = !argument.empty() && std::all_of(argument.begin(), argument.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    if (!is_word)
      fail(place, "an argument that is neither a number nor a name",
           "Write {{str(255)}} or {{touch(users)}}.");
    return std::string(argument);
  }

  std::string quoted_arguments(std::size_t place, std::string_view arguments) const {
    std::string quoted;
    while (!arguments.empty()) {
      const std::size_t comma = std::min(arguments.find(','), arguments.size());
      std::string_view value = arguments.substr(0, comma);
      while (value.starts_with(' ')) value.remove_prefix(1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      if (value.empty() || value.find('\'') != std::string_view::npos) {
        fail(place, "an empty value or one with a quote in {{enum}}", "Write {{enum(active, locked)}}.");
      }
      quoted += fmt::format("{}'{}'", quoted.empty() ? "" : ", ", value);
      arguments.remove_prefix(std::min(comma + 1, arguments.size()));
    }
    if (quoted.empty()) fail(place, "{{enum}} without values", "Write {{enum(active, locked)}}.");
    return quoted;
  }

  [[noreturn]] void fail(std::size_t place, const std::string& what, std::string hint) const {
    const std::size_t line_begin = text_.rfind('\n', place) + 1;  // npos + 1 is 0: the first line
    throw ValidationError(
        fmt::format("{}:{}:{}: {}", file_, db::line_of(text_, place), place - line_begin + 1, what),
        std::move(hint));
  }

  std::string_view text_;
  db::Dialect dialect_;
  std::string_view file_;
};

}  // namespace

std::string expand_logical_types(std::string_view text, db::Dialect dialect, std::string_view file) {
  return Expander(text, dialect, file).expand();
}

}  // namespace nerve::migrations
