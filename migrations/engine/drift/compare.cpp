// SPDX-License-Identifier: Apache-2.0
#include "catalogue/read_catalogue.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/hash.h"
#include "nerve/migrations/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace nerve::migrations {

namespace {

using ObjectsByTitle = std::map<std::string, const Object*>;

/// Longer definitions are not shown: the export shows them whole.
constexpr std::size_t shown_text_max = 400;

std::string key_of(std::string_view title, db::Dialect dialect) {
  return dialect == db::Dialect::sqlite ? folded(title) : std::string(title);
}

ObjectsByTitle by_title(const Catalogue& catalogue) {
  ObjectsByTitle objects;
  for (const Object& object : catalogue.objects)
    objects.emplace(key_of(object.title(), catalogue.dialect), &object);
  return objects;
}

/// Names parts that are on one side only, or another there.
class PartDiff {
 public:
  PartDiff(const Object& expected, const Object& actual, db::Dialect dialect) {
    const auto wanted = parts_of(expected, dialect);
    const auto found = parts_of(actual, dialect);
    auto want = wanted.begin();
    auto have = found.begin();
    while (want != wanted.end() || have != found.end()) {
      if (have == found.end() || (want != wanted.end() && want->key < have->key)) {
        add("-", *want, describe(*want, "missing"));
        ++want;
      } else if (want == wanted.end() || have->key < want->key) {
        add("+", *have, describe(*have, "added"));
        ++have;
      } else {
        if (want->text != have->text) {
          add("-", *want, {});
          add("+", *have, describe_change(*want, *have));
        }
        ++want;
        ++have;
      }
    }
  }

  std::vector<std::string> changes;
  std::string canonical;  ///< of the difference, for its fingerprint

 private:
  void add(std::string_view side, const ObjectPart& part, std::string change) {
    canonical.append(side).append(part.key).append(1, '\0').append(part.text).append(1, '\0');
    if (!change.empty()) changes.push_back(std::move(change));
  }

  static std::string describe(const ObjectPart& part, std::string_view what) {
    if (part.text.empty()) return fmt::format("{} {}", part.label, what);
    return fmt::format("{} {}: {}", part.label, what, part.text);
  }

  static std::string describe_change(const ObjectPart& wanted, const ObjectPart& found) {
    const bool is_long = wanted.text.size() + found.text.size() > shown_text_max ||
                         wanted.text.find('\n') != std::string::npos ||
                         found.text.find('\n') != std::string::npos;
    if (is_long) return found.label + " differs";
    return fmt::format("{} is {} instead of {}", found.label, found.text, wanted.text);
  }
};

class Comparison {
 public:
  Comparison(const Catalogue& expected, const Catalogue& actual)
      : dialect_(actual.dialect), wanted_(by_title(expected)), found_(by_title(actual)) {}

  std::vector<Difference> run() {
    for (const auto& [title, object] : wanted_) {
      const auto found = found_.find(title);
      if (found == found_.end()) {
        add_missing(*object);
      } else {
        add_different(*object, *found->second);
      }
    }
    for (const auto& [title, object] : found_) {
      if (!wanted_.contains(title)) add_unexpected(*object);
    }
    std::ranges::sort(differences_, {},
                      [](const Difference& d) { return std::tie(d.object_kind, d.object); });
    return std::move(differences_);
  }

 private:
  /// What a table brings with it goes with it: one difference is enough.
  bool has_table(const Object& object, const ObjectsByTitle& side) const {
    if (object.table.empty()) return true;
    return std::ranges::any_of(std::array{ObjectKind::table, ObjectKind::view, ObjectKind::materialized_view},
                               [&](ObjectKind kind) {
                                 const Object table{.kind = kind, .name = object.table};
                                 return side.contains(key_of(table.title(), dialect_));
                               });
  }

  /// Partitions come and go with time; which there are is data.
  static bool is_partition(const Object& object) { return !object.parent.empty(); }

  void add_missing(const Object& object) {
    if (is_partition(object) || !has_table(object, found_)) return;
    add(object, DifferenceKind::missing, {}, "missing");
  }

  void add_unexpected(const Object& object) {
    if (is_partition(object) || !has_table(object, wanted_)) return;
    add(object, DifferenceKind::unexpected, {}, "unexpected " + fingerprint(object, dialect_));
  }

  void add_different(const Object& wanted, const Object& found) {
    PartDiff diff(wanted, found, dialect_);
    if (diff.canonical.empty()) return;
    add(found, DifferenceKind::different, std::move(diff.changes), diff.canonical);
  }

  void add(const Object& object, DifferenceKind kind, std::vector<std::string> changes,
           std::string_view canonical) {
    Difference difference;
    difference.object_kind = object.kind;
    difference.object = object.title();
    difference.kind = kind;
    difference.changes = std::move(changes);
    difference.fingerprint = to_hex(crypto::sha256(as_bytes(canonical)));
    differences_.push_back(std::move(difference));
  }

  db::Dialect dialect_;
  ObjectsByTitle wanted_;
  ObjectsByTitle found_;
  std::vector<Difference> differences_;
};

}  // namespace

std::vector<Difference> compare(const Catalogue& expected, const Catalogue& actual) {
  return Comparison(expected, actual).run();
}

}  // namespace nerve::migrations
