// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/salvage.h"

#include "durable_file.h"
#include "salvage/free_list.h"
#include "salvage/lost_and_found.h"
#include "salvage/new_database.h"
#include "salvage/orphans.h"
#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/schema_entries.h"
#include "salvage/table_salvage.h"
#include "staged_file.h"
#include "target_path.h"
#include "target_state.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace nerve::backups {
namespace salvage {
namespace {

constexpr std::uint64_t rows_between_updates = 1'000;
constexpr std::string_view sequence_table = "sqlite_sequence";
constexpr std::string_view sequence_sql = "CREATE TABLE sqlite_sequence(name,seq)";

bool is_unique_index(const SchemaEntry& entry) {
  constexpr std::string_view words = "CREATE UNIQUE";
  return entry.type == "index" && entry.sql.starts_with(words);
}

/// One salvage, from the pages of the damaged file to the rows of the new one.
class Salvage {
 public:
  Salvage(const PageSource& source, const std::filesystem::path& target, const SalvageOptions& options,
          ProgressSink* progress);

  SalvageReport run();

 private:
  void make_tables();
  void make_objects(const std::function<bool(const SchemaEntry&)>& is_meant);
  void make_virtual_tables();
  void add_table(const SchemaEntry& entry, const std::map<std::string, sqlite::Table>& made);
  void count_references();
  void take_trees();
  void settle_claims();
  void settle_claims_of_page(const std::vector<std::pair<TableSalvage*, Claim>>& claims);
  void take_orphans();
  void take_sequences();
  void note_shadow_tables();
  SalvageReport finish();

  const PageSource& source_;
  const SalvageOptions& options_;
  ProgressSink* progress_;
  PageMap map_;
  Schema schema_;
  NewDatabase database_;
  LostAndFound lost_;
  std::uint64_t rows_ = 0;
  std::function<void()> on_row_;
  std::vector<std::unique_ptr<TableSalvage>> tables_;
  TableSalvage* sequences_ = nullptr;
  bool are_indexes_whole_ = true;
  SalvageReport report_;
};

Salvage::Salvage(const PageSource& source, const std::filesystem::path& target, const SalvageOptions& options,
                 ProgressSink* progress)
    : source_(source),
      options_(options),
      progress_(progress),
      map_(source.page_count()),
      database_(target, source.layout()),
      lost_(database_, schema_),
      on_row_([this] {
        if (++rows_ % rows_between_updates != 0) return;
        throw_if_interrupted();
        if (progress_ != nullptr) progress_->update("reading rows", rows_, 0);
      }) {}

SalvageReport Salvage::run() {
  mark_free_pages(source_, map_);
  mark_pointer_maps(source_, map_);
  schema_ = read_schema(source_, map_);
  report_.is_schema_whole = schema_.is_whole;
  if (options_.schema_from) add_schema_of(*options_.schema_from, schema_);
  make_tables();
  // Before the rows, so that a row that breaks one is found and kept elsewhere.
  make_objects(is_unique_index);
  count_references();
  take_trees();
  settle_claims();
  take_orphans();
  if (options_.deleted)
    report_.deleted_rows = Orphans(source_, map_, tables_, lost_, {}).take_deleted(progress_);
  make_objects([](const SchemaEntry& entry) { return entry.type == "index" && !is_unique_index(entry); });
  make_objects([](const SchemaEntry& entry) { return entry.type == "view"; });
  make_objects([](const SchemaEntry& entry) { return entry.type == "trigger"; });
  make_virtual_tables();
  return finish();
}

void Salvage::make_tables() {
  // AUTOINCREMENT would make it, so it comes first.
  std::stable_partition(schema_.entries.begin(), schema_.entries.end(),
                        [](const SchemaEntry& entry) { return entry.name == sequence_table; });
  for (SchemaEntry& entry : schema_.entries) {
    if (entry.type != "table" || entry.is_virtual_table()) continue;
    // SQLite writes to it by these names, whatever damage made of them.
    if (entry.name == sequence_table) entry.sql = sequence_sql;
    if (auto problem = database_.create(entry))
      report_.lost_objects.push_back({"table", entry.name, *problem});
  }
  std::map<std::string, sqlite::Table> made;
  for (sqlite::Table& table : sqlite::list_tables(database_.session())) {
    std::string name = table.name;
    made.emplace(std::move(name), std::move(table));
  }
  for (const SchemaEntry& entry : schema_.entries) {
    if (entry.type == "table" && !entry.is_virtual_table()) add_table(entry, made);
  }
}

void Salvage::add_table(const SchemaEntry& entry, const std::map<std::string, sqlite::Table>& made) {
  const auto table = made.find(entry.name);
  if (table != made.end()) {
    tables_.push_back(std::make_unique<TableSalvage>(entry, shape_of(database_.session(), table->second),
                                                     source_, map_, database_, lost_, on_row_));
    if (entry.name == sequence_table) sequences_ = tables_.back().get();
    return;
  }
  Bytes bytes;
  Family family = Family::table;
  if (source_.read(entry.root_page, bytes)) {
    const auto page = recognise_tree_page(bytes, source_.bounds(entry.root_page));
    if (page) family = page->family;
  }
  tables_.push_back(std::make_unique<TableSalvage>(entry, family, source_, map_, database_, lost_, on_row_));
}

void Salvage::make_objects(const std::function<bool(const SchemaEntry&)>& is_meant) {
  for (const SchemaEntry& entry : schema_.entries) {
    if (entry.sql.empty() || !is_meant(entry)) continue;
    throw_if_interrupted();
    if (progress_ != nullptr) progress_->update("making indexes, views and triggers", 0, 0);
    if (auto problem = database_.create(entry)) {
      report_.lost_objects.push_back({entry.type, entry.name, *problem});
    }
  }
}

void Salvage::make_virtual_tables() {
  for (const SchemaEntry& entry : schema_.entries) {
    if (!entry.is_virtual_table()) continue;
    if (auto problem = database_.create_virtual_table(entry)) {
      report_.lost_objects.push_back({"table", entry.name, *problem});
    }
  }
}

/// So that a page that damage makes two b-trees lead to is given to neither before both were looked at.
void Salvage::count_references() {
  if (progress_ != nullptr) progress_->update("reading the b-trees", 0, 0);
  for (const auto& table : tables_) {
    salvage::count_references(source_, map_, table->root_page(), table->family(), TreeUse::rows);
  }
  for (const SchemaEntry& entry : schema_.entries) {
    if (entry.type != "index") continue;
    are_indexes_whole_ =
        salvage::count_references(source_, map_, entry.root_page, Family::index, TreeUse::index_only) &&
        are_indexes_whole_;
  }
}

void Salvage::take_trees() {
  for (const auto& table : tables_) {
    if (table.get() != sequences_) table->take_tree();
  }
  if (sequences_ != nullptr) take_sequences();
}

/// Rows of tables with AUTOINCREMENT have made entries already. Those of the damaged database replace them;
/// where these were lost, the largest rowid must do.
void Salvage::take_sequences() {
  sqlite::Session& session = database_.session();
  session.execute(
      "CREATE TEMP TABLE made_sequence AS SELECT name, seq FROM main.sqlite_sequence; "
      "DELETE FROM main.sqlite_sequence");
  sequences_->take_tree();
  const bool is_whole = !sequences_->has_gaps() && sequences_->finish().is_whole();
  if (!is_whole) {
    session.execute(
        "INSERT INTO main.sqlite_sequence(name, seq) SELECT name, seq FROM made_sequence AS made "
        "WHERE NOT EXISTS (SELECT 1 FROM main.sqlite_sequence AS kept WHERE kept.name = made.name)");
  }
  session.execute("DROP TABLE temp.made_sequence");
}

void Salvage::settle_claims() {
  for (;;) {
    std::map<std::uint32_t, std::vector<std::pair<TableSalvage*, Claim>>> claims_by_page;
    for (const auto& table : tables_) {
      for (const Claim& claim : table->take_claims())
        claims_by_page[claim.page].emplace_back(table.get(), claim);
    }
    if (claims_by_page.empty()) return;
    for (const auto& [page, claims] : claims_by_page) {
      throw_if_interrupted();
      settle_claims_of_page(claims);
    }
  }
}

/// The page goes to the claim that it fits best. Where that is not certain it goes to none, and its rows to
/// lost_and_found.
void Salvage::settle_claims_of_page(const std::vector<std::pair<TableSalvage*, Claim>>& claims) {
  const std::uint32_t page = claims.front().second.page;
  const std::pair<TableSalvage*, Claim>* best = nullptr;
  int best_rating = 0;
  bool is_certain = false;
  for (const auto& claim : claims) {
    const int rating = claim.first->rate(claim.second);
    if (rating == best_rating) is_certain = false;
    if (rating <= best_rating) continue;
    best = &claim;
    best_rating = rating;
    is_certain = true;
  }
  if (map_.has(page, PageMap::of_an_index) || map_.has(page, PageMap::walked)) is_certain = false;
  for (const auto& claim : claims) {
    if (is_certain && &claim == best) {
      claim.first->take_claimed(claim.second);
    } else {
      claim.first->lose_claimed(claim.second);
    }
  }
}

void Salvage::take_orphans() {
  const bool has_gaps = std::ranges::any_of(tables_, [](const auto& table) { return table->has_gaps(); });
  // Where no b-tree lacks a page, what nothing leads to is free.
  if (!has_gaps && schema_.is_whole) return;
  const bool is_schema_known = schema_.is_whole || options_.schema_from.has_value();
  Orphans(source_, map_, tables_, lost_,
          {.is_schema_whole = is_schema_known, .are_indexes_whole = are_indexes_whole_})
      .take_all(progress_);
}

/// Rows lost from under a virtual table leave its index at odds with them.
void Salvage::note_shadow_tables() {
  for (const SchemaEntry& entry : schema_.entries) {
    if (!entry.is_virtual_table()) continue;
    const std::string prefix = entry.name + "_";
    bool is_whole = true;
    for (auto table = std::ranges::lower_bound(report_.tables, prefix, {}, &SalvagedTable::name);
         table != report_.tables.end() && table->name.starts_with(prefix); ++table) {
      is_whole = is_whole && table->is_whole();
    }
    if (is_whole) continue;
    report_.notes.push_back(fmt::format(
        "the virtual table {} has lost rows of its own tables: rebuild its index, as its module has it",
        entry.name));
  }
}

SalvageReport Salvage::finish() {
  database_.finish(source_.layout());
  for (const auto& table : tables_) report_.tables.push_back(table->finish());
  std::ranges::sort(report_.tables, {}, &SalvagedTable::name);
  report_.page_size_bytes = source_.layout().page_size_bytes;
  report_.page_count = source_.page_count();
  report_.is_header_damaged = source_.layout().is_header_damaged;
  report_.has_lost_transactions = source_.has_lost_transactions();
  report_.lost_and_found = lost_.name();
  report_.rows_by_reason = lost_.rows_by_reason();
  report_.notes = source_.notes();
  report_.notes.insert(report_.notes.end(), schema_.notes.begin(), schema_.notes.end());
  if (!map_.is_free_list_whole) {
    report_.notes.emplace_back(
        "the free list is damaged: rows in lost_and_found that no table leads to may be deleted ones");
  }
  note_shadow_tables();
  return std::move(report_);
}

}  // namespace
}  // namespace salvage

namespace {

/// Damage can make a database look like another file; its pages tell.
bool is_other_file(const sqlite::FileFacts& facts) {
  return facts.kind == sqlite::FileKind::not_sqlite || facts.kind == sqlite::FileKind::maybe_encrypted;
}

/// What SQLite wrote a moment ago is sound, unless the disk or the memory is not.
void check_new_database(const std::filesystem::path& path, SalvageReport& report, ProgressSink* progress) {
  sqlite::Session session(path, {.mode = sqlite::OpenMode::immutable});
  const sqlite::Damage damage = sqlite::integrity_check(session, progress);
  if (damage.is_found()) {
    throw IntegrityError(fmt::format("the new database is damaged: {}", damage.describe()),
                         "Try another disk, and look at the memory of this machine.");
  }
  sqlite::VirtualTableFindings virtual_tables =
      sqlite::check_virtual_tables(session, sqlite::VirtualTableCheck::whole, progress);
  report.damaged_virtual_tables = std::move(virtual_tables.damaged);
  for (const std::string& one : virtual_tables.unchecked)
    report.notes.push_back("a virtual table could not be checked: " + one);
  const std::int64_t violations = sqlite::check_foreign_keys(session, progress).total();
  if (violations > 0) {
    report.notes.push_back(fmt::format("{} rows refer to rows that are not there", format_count(violations)));
  }
}

}  // namespace

bool can_salvage(const std::filesystem::path& source) {
  try {
    const sqlite::FileFacts facts = sqlite::read_file_facts(source);
    if (facts.kind == sqlite::FileKind::sqlite) return true;
    return is_other_file(facts) && salvage::guess_layout(salvage::RawFile(facts.path)).has_value();
  } catch (const Error&) {
    return false;
  }
}

SalvageReport salvage_database(const std::filesystem::path& source, const std::filesystem::path& target,
                               const SalvageOptions& options, ProgressSink* progress) {
  const sqlite::FileFacts facts = sqlite::read_file_facts(source);
  if (!is_other_file(facts)) sqlite::require_database(facts);
  require_free_name(target, "Give the name of a new file.");
  const std::filesystem::path resolved = resolve_target(target);
  require_writable_folder(resolved.parent_path(), "Give the name of a file in a folder that you may write.");
  require_space(resolved.parent_path(), facts.size_bytes);
  const TargetState before = look_at(facts.path);
  const salvage::PageSource pages(facts.path);
  StagedFile staged(resolved);
  SalvageReport report = salvage::Salvage(pages, staged.path(), options, progress).run();
  report.source = facts.path;
  report.target = resolved;
  if (!(look_at(facts.path) == before)) {
    report.notes.push_back(fmt::format(
        "{} was written while it was read, so the result may be a mixture: stop its users and do it again",
        facts.path.string()));
  }
  check_new_database(staged.path(), report, progress);
  sync_descriptor(staged.file(), staged.path());
  throw_if_interrupted();
  staged.put_in_place(false);
  return report;
}

}  // namespace nerve::backups
