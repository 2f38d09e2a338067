// SPDX-License-Identifier: Apache-2.0
#include "section_reader.h"
#include "statement_kind.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/crypto/hash.h"
#include "nerve/db/sql_script.h"
#include "nerve/migrations/migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace nerve::migrations {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string normalised(std::string_view content) {
  if (content.starts_with(byte_order_mark)) content.remove_prefix(byte_order_mark.size());
  if (content.find('\r') == std::string_view::npos) return std::string(content);
  std::string text;
  text.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\r') {
      text += content[i];
    } else if (i + 1 == content.size() || content[i + 1] != '\n') {
      text += '\n';
    }
  }
  return text;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> elements;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (const auto element = trimmed(text.substr(0, comma)); !element.empty()) elements.push_back(element);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return elements;
}

constexpr std::array<std::string_view, 12> header_names{
    "description",    "impact",  "security",          "compliance", "retention", "irreversible",
    "no-transaction", "rebuild", "changes-row-count", "requires",   "allow",     "migrate"};

/// Reads a file line by line: headers, then the sections.
class Parser {
 public:
  Parser(std::string_view module, std::string_view file_name, std::string_view file, std::string_view content,
         Dialects dialects)
      : dialects_(dialects) {
    migration_.file = file;
    migration_.reference.module = module;
    if (content.size() > Migration::size_bytes_max) {
      throw ValidationError(fmt::format("{}: larger than {}", file, format_size(Migration::size_bytes_max)),
                            "Keep data out of migrations: import it.");
    }
    migration_.text = normalised(content);
    if (!is_valid_utf8(migration_.text)) {
      throw ValidationError(fmt::format("{}: not UTF-8 text", file), "Save the file as UTF-8.");
    }
    read_file_name(file_name);
  }

  Migration parse() {
    SectionReader reader(migration_.text, dialects_.empty() ? db::Dialect::sqlite : dialects_.front());
    SectionLine line;
    for (line_ = 1; reader.next(line); ++line_) read_line(line);
    require_sections();
    migration_.checksum = to_hex(crypto::sha256(as_bytes(migration_.text)));
    return std::move(migration_);
  }

 private:
  void read_file_name(std::string_view name) {
    constexpr std::size_t digits = 4;
    const std::string_view stem = name.substr(0, name.size() - std::min<std::size_t>(name.size(), 4));
    const bool has_form =
        name.ends_with(".sql") && stem.size() > digits + 1 && stem[digits] == '_' &&
        std::all_of(stem.begin(), stem.begin() + digits, [](char c) { return c >= '0' && c <= '9'; }) &&
        std::all_of(stem.begin() + digits + 1, stem.end(),
                    [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    constexpr std::size_t name_max = 100;
    if (!has_form || stem.starts_with("0000") || stem.size() > name_max) {
      throw ValidationError(
          fmt::format("{}: the name is not of the form NNNN_name.sql", migration_.file),
          "Name it like 0001_create_users.sql: four digits from 0001, then lower-case letters, "
          "digits and underscores. `nerve-db migrate new` makes such files.");
    }
    migration_.reference = Reference::parse(stem.substr(0, digits), migration_.reference.module);
    migration_.name = stem.substr(digits + 1);
  }

  void read_line(const SectionLine& line) {
    constexpr std::string_view comment = "-- ";
    if (line.kind == SectionLine::Kind::section) return begin_section(line.section);
    if (line.kind == SectionLine::Kind::block) return require_known_block(line);
    if (!section_.empty() || trimmed(line.text).empty()) return;
    if (line.text.starts_with("--")) {
      if (line.text.starts_with(comment)) read_header(line.text.substr(comment.size()));
      return;
    }
    fail("SQL before the first section", "Put `-- migrate:up` above it.");
  }

  void begin_section(std::string_view name) {
    const bool is_expected = (name == "up" && section_.empty()) || (name == "down" && section_ == "up");
    if (!is_expected) {
      fail(fmt::format("the section \"{}\" at this place", name),
           "A file has one `-- migrate:up` and, below it, at most one `-- migrate:down`.");
    }
    section_ = name;
  }

  void require_known_block(const SectionLine& line) const {
    if (section_.empty()) fail("a dialect block outside of a section", "Put it below `-- migrate:up`.");
    if (line.block.empty() || line.block == "sqlite" || line.block == "postgresql") return;
    fail(fmt::format("unknown dialect \"{}\"", line.block),
         "Write `-- dialect:sqlite`, `-- dialect:postgresql`, or `-- dialect:end` for both again.");
  }

  void read_header(std::string_view header) {
    const std::size_t colon = header.find(':');
    const std::string_view name = trimmed(header.substr(0, colon));
    const bool has_colon = colon != std::string_view::npos;
    const bool is_one_word = name.find(' ') == std::string_view::npos;
    if (std::find(header_names.begin(), header_names.end(), name) == header_names.end() ||
        (!has_colon && name != "no-transaction")) {
      const auto meant = has_colon && is_one_word ? closest_match(name, header_names) : std::nullopt;
      if (meant)
        fail(fmt::format("unknown header \"{}\"", name), fmt::format("Did you mean \"{}\"?", *meant));
      return;  // an ordinary comment
    }
    set_header(name, has_colon ? trimmed(header.substr(colon + 1)) : std::string_view());
  }

  void set_header(std::string_view name, std::string_view value) {
    if (name == "no-transaction") {
      migration_.runs_outside_transaction = true;
      return;
    }
    if (value.empty()) {
      fail(fmt::format("the header \"{}\" says nothing", name),
           "Write its text behind the colon, or remove it.");
    }
    if (name == "description") migration_.description.summary = value;
    if (name == "impact") migration_.description.impact = value;
    if (name == "security") migration_.description.security = value;
    if (name == "compliance") migration_.description.compliance = value;
    if (name == "retention") migration_.description.retention = value;
    if (name == "irreversible") migration_.irreversible = value;
    if (name == "changes-row-count") migration_.row_change = value;
    if (name == "rebuild") {
      for (const auto table : split_list(value)) migration_.rebuilt_tables.emplace_back(table);
    }
    if (name == "requires") read_requirements(value);
    if (name == "allow") read_permission(value);
  }

  void read_requirements(std::string_view value) {
    for (const auto text : split_list(value)) {
      try {
        migration_.requirements.push_back(Reference::parse(text, migration_.reference.module));
      } catch (const ValidationError& error) {
        fail(error.what(), error.hint());
      }
    }
  }

  void read_permission(std::string_view value) {
    const std::size_t space = value.find(' ');
    if (space == std::string_view::npos) {
      fail("the header \"allow\" gives no reason",
           "Write the rule and why it is well here: -- allow: drop-table empty since 0003.");
    }
    migration_.permissions.push_back(
        {std::string(value.substr(0, space)), std::string(trimmed(value.substr(space)))});
  }

  void require_sections() {
    if (section_.empty()) {
      line_ = 1;
      fail("no section `-- migrate:up`", "Put that line above the SQL.");
    }
    if (migration_.runs_outside_transaction && !migration_.rebuilt_tables.empty()) {
      line_ = 1;
      fail("both `no-transaction` and `rebuild`",
           "A rebuild is one transaction: put the rest into another file.");
    }
    for (const db::Dialect dialect : dialects_) {
      for (const Direction direction : {Direction::up, Direction::down}) check_statements(direction, dialect);
    }
    const bool has_way_back = section_ == "down";
    if (has_way_back == !migration_.irreversible.empty()) {
      line_ = 1;
      fail(has_way_back ? "`irreversible` and a section `-- migrate:down`" : "no section `-- migrate:down`",
           "Write one of the two: `-- migrate:down` with the way back, or `-- irreversible: REASON`.");
    }
  }

  void check_statements(Direction direction, db::Dialect dialect) {
    for (const MigrationStatement& statement : migration_.statements(direction, dialect)) {
      line_ = statement.line;
      const std::string_view control = db::transaction_control(statement.sql, dialect);
      if (!control.empty()) {
        fail(fmt::format("{} in a migration", control),
             "Remove it: the migration runs inside a transaction that is begun and ended for it.");
      }
      if (dialect == db::Dialect::postgresql && concurrent_index(statement.sql) == std::string()) {
        fail("CREATE INDEX CONCURRENTLY without a name",
             "Name the index: what a failure left behind is found by it.");
      }
      const std::string_view alone = outside_transaction_only(statement.sql, dialect);
      if (!alone.empty() && !migration_.runs_outside_transaction) {
        fail(fmt::format("{} cannot run inside a transaction", alone),
             "Put it into a file of its own with the header `-- no-transaction`.");
      }
    }
  }

  [[noreturn]] void fail(const std::string& what, std::string hint) const {
    throw ValidationError(fmt::format("{}:{}: {}", migration_.file, line_, what), std::move(hint));
  }

  Dialects dialects_;
  Migration migration_;
  std::string_view section_;
  std::size_t line_ = 1;
};

}  // namespace

Migration parse_migration(std::string_view module, std::string_view file_name, std::string_view file,
                          std::string_view content, Dialects dialects) {
  return Parser(module, file_name, file, content, dialects).parse();
}

}  // namespace nerve::migrations
