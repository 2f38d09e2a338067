// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"
#include "nerve/placement.h"
#include "nerve/record.h"
#include "nerve/scope.h"
#include "nerve/store.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// The commands that every record has, made from its fields.
namespace nerve {

enum class Verb : std::uint8_t { list, show, remove, restore };

/// A group of commands for a record.
struct RecordCommand {
  std::string_view summary;  ///< of the group, one line
  std::string_view description = {};
  std::initializer_list<Verb> verbs = {Verb::list, Verb::show};
  /// Those of its own, which come first.
  std::vector<Command> more = {};
  /// What examples work on: the natural key or id of a record of tests/cli/demo, and of one that is removed.
  std::string_view example = {};
  std::string_view removed_example = {};
  Placement placement = Placement::core;  ///< of both: with the option --store
  /// Instead of a plain mark, where removing has rules or publishes an event.
  void (*remove)(const OpenStore& store, const Scope& scope, const Uuid& id) = nullptr;
  void (*restore)(const OpenStore& store, const Scope& scope, const Uuid& id) = nullptr;
};

/// `nerve-db NOUN list | show | remove | restore`, as far as `verbs` asks for them. The group is called as
/// the record's facts say. The record is a constant; it is borrowed.
Command record_command(const RecordType& record, RecordCommand group);

/// The operand ID of a command for one record.
Argument record_operand(const RecordType& record);
/// --store, for records that both stores have, and what it says.
Argument store_option();
Store store_from(const Arguments& arguments);
/// --tenant, for commands in a tenant; see CommandContext::scope_of.
Argument tenant_option();
/// An option for each field that people may give.
std::vector<Argument> field_options(const RecordType& record);
/// Gives a struct what the options say. Throws ValidationError.
template <class R>
void read_fields(const Record<R>& record, const Arguments& arguments, R& row) {
  read_fields_into(record, arguments, &row);
}
void read_fields_into(const RecordType& record, const Arguments& arguments, void* row);

/// A record in JSON: every field that is not secret.
Json json_of(const RecordType& record, std::span<const db::Value> values);

/// What a command says that makes or changes a record: with --json the record; else "WHAT the tenant acme",
/// and the record's id as the only data.
void show_change(Output& output, const RecordType& record, std::span<const db::Value> values,
                 std::string_view what);
template <class R>
void show_change(Output& output, const Record<R>& record, const R& row, std::string_view what) {
  show_change(output, record, record.values_in(&row), what);
}

}  // namespace nerve
