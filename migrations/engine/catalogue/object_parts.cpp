// SPDX-License-Identifier: Apache-2.0
#include "catalogue/read_catalogue.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/hash.h"
#include "nerve/db/sql_scanner.h"
#include "nerve/migrations/catalogue.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace nerve::migrations {

namespace {

using db::Dialect;
using db::SqlToken;
using db::SqlTokenKind;

bool is_operator(const SqlToken& token) {
  constexpr std::string_view operators = "+-*/<>=~!@#%^&|`?:";
  return token.kind == SqlTokenKind::symbol && operators.find(token.text[0]) != std::string_view::npos;
}

bool needs_space(const SqlToken& before, const SqlToken& token) {
  if (token.is_symbol(',') || token.is_symbol(')') || token.is_symbol('.')) return false;
  if (before.is_symbol('(') || before.is_symbol('.')) return false;
  if (before.is_symbol(':') || token.is_symbol(':')) return false;
  if (is_operator(before) && is_operator(token)) return false;
  // "varchar(20)", "length(name)"; after a keyword a space reads better, but which words are some is not
  // known here.
  return !(token.is_symbol('(') && before.kind == SqlTokenKind::word);
}

/// The normalised text, spaced as people write it.
std::string tidy(std::string_view sql, Dialect dialect) {
  const std::string normalised = db::normalised_sql(sql, dialect);
  db::SqlScanner scanner(normalised, dialect);
  std::string text;
  SqlToken before;
  for (SqlToken token = scanner.next(); token.kind != SqlTokenKind::end; token = scanner.next()) {
    if (!text.empty() && needs_space(before, token)) text += ' ';
    text += token.text;
    before = token;
  }
  return text;
}

std::string column_text(const Column& column, Dialect dialect) {
  std::string text = tidy(column.type, dialect);
  const auto add = [&](std::string_view words) {
    if (!text.empty()) text += ' ';
    text += words;
  };
  if (!column.collation.empty()) add("collate " + tidy(column.collation, dialect));
  if (column.is_not_null) add("not null");
  if (column.default_value) add("default " + tidy(*column.default_value, dialect));
  if (!column.generated.empty()) {
    add("generated always as (" + tidy(column.generated, dialect) +
        (column.is_stored ? ") stored" : ") virtual"));
  }
  if (!column.identity.empty()) add("generated " + tidy(column.identity, dialect) + " as identity");
  return text;
}

class Parts {
 public:
  explicit Parts(Dialect dialect) : dialect_(dialect) {}

  void add(std::string label, std::string text) {
    std::string key = dialect_ == Dialect::sqlite ? folded(label) : label;
    parts_.push_back({std::move(key), std::move(label), std::move(text)});
  }
  /// What has no name is named by its definition, whose texts keep their case.
  void add_unnamed(const std::string& definition) { parts_.push_back({definition, definition, {}}); }

  void add_table(const Object& table) {
    for (const Column& column : table.columns) add("column " + column.name, column_text(column, dialect_));
    for (const Constraint& constraint : table.constraints) {
      std::string definition = tidy(constraint.definition, dialect_);
      if (dialect_ == Dialect::sqlite) {
        add_unnamed(definition);
      } else {
        add("constraint " + constraint.name, std::move(definition));
      }
    }
  }

  std::vector<ObjectPart> take() {
    std::ranges::sort(parts_, {}, [](const ObjectPart& part) { return std::tie(part.key, part.text); });
    const auto is_double = [](const ObjectPart& left, const ObjectPart& right) {
      return left.key == right.key;
    };
    parts_.erase(std::unique(parts_.begin(), parts_.end(), is_double), parts_.end());
    return std::move(parts_);
  }

 private:
  Dialect dialect_;
  std::vector<ObjectPart> parts_;
};

}  // namespace

std::vector<ObjectPart> parts_of(const Object& object, Dialect dialect) {
  Parts parts(dialect);
  const bool is_plain_table = object.kind == ObjectKind::table && !object.has_property("VIRTUAL");
  if (is_plain_table) {
    parts.add_table(object);
  } else {
    parts.add("definition", tidy(object.definition, dialect));
  }
  for (const std::string& property : object.properties) {
    // An index's definition says these already.
    if (object.kind == ObjectKind::index && (property == "UNIQUE" || property == "PARTIAL")) continue;
    parts.add(property, {});
  }
  return parts.take();
}

std::string fingerprint(const Object& object, Dialect dialect) {
  constexpr std::string_view separator("\0", 1);
  crypto::Sha256 hash;
  for (const ObjectPart& part : parts_of(object, dialect)) {
    for (const std::string_view text :
         {std::string_view(part.key), separator, std::string_view(part.text), separator}) {
      hash.update(as_bytes(text));
    }
  }
  return to_hex(hash.finish());
}

}  // namespace nerve::migrations
