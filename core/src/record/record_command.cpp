// SPDX-License-Identifier: Apache-2.0
#include "nerve/record_command.h"

#include "nerve/core/csv.h"
#include "nerve/core/error.h"
#include "nerve/core/json_list.h"
#include "nerve/core/text.h"
#include "nerve/page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace nerve {

namespace {

/// What a command that was made needs when it runs.
struct Made {
  const RecordType* record;
  Placement placement;
  void (*remove)(const OpenStore& store, const Scope& scope, const Uuid& id);
  void (*restore)(const OpenStore& store, const Scope& scope, const Uuid& id);

  std::string_view group() const { return record->facts().command; }
  OpenStore store(CommandContext& context, const Arguments& arguments) const {
    if (placement == Placement::both) return context.stores().store(store_from(arguments));
    return context.stores().store(placement == Placement::core ? Store::core : Store::secure);
  }
  std::vector<Argument> with_common(std::vector<Argument> options) const {
    if (record->is_tenant_owned()) options.push_back(tenant_option());
    if (placement == Placement::both) options.push_back(store_option());
    return options;
  }
  Scope scope(CommandContext& context, const Arguments& arguments) const {
    return record->is_tenant_owned() ? context.tenant_scope(arguments) : context.scope();
  }
};

const Field& require_field(const RecordType& record, std::string_view name) {
  const Field* field = record.find(name);
  if (field != nullptr && !field->is_secret && !field->is_sealed) return *field;
  std::vector<std::string_view> names;
  for (const Field& one : record.fields()) {
    if (!one.is_secret && !one.is_sealed) names.push_back(one.name);
  }
  throw ValidationError(fmt::format("a {} has no field {}", record.noun(), sanitize_for_terminal(name)),
                        fmt::format("Its fields are {}.", fmt::join(names, ", ")));
}

ListQuery::Equal equal_of(const RecordType& record, std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos)
    throw ValidationError("--where has no =", "Write it as FIELD=VALUE, such as status=active.");
  const Field& field = require_field(record, text.substr(0, sign));
  const std::string_view value = text.substr(sign + 1);
  if (value.empty() && field.type->is_optional) return {&field, {}};
  return {&field, parse_field(field, value)};
}

ListQuery query_of(const RecordType& record, const Arguments& arguments, Reader& reader) {
  ListQuery query{.limit = arguments.integer("--limit").value_or(page_limit_default)};
  if (arguments.has("--all")) query.limit = page_limit_max;
  if (const auto after = arguments.text("--after")) query.after = reader.find_id(record, *after);
  if (const auto sort = arguments.text("--sort")) query.sort = &require_field(record, *sort);
  query.is_descending = arguments.has("--descending");
  for (const std::string& text : arguments.texts("--where")) query.where.push_back(equal_of(record, text));
  if (arguments.has("--with-removed")) query.visibility = db::Visibility::all;
  if (arguments.has("--removed")) query.visibility = db::Visibility::deleted;
  return query;
}

void require_one_of(const Arguments& arguments, std::string_view first, std::string_view second) {
  if (!arguments.has(first) || !arguments.has(second)) return;
  throw ValidationError(fmt::format("both {} and {} are given", first, second), "Give one of them.");
}

/// The fields of a list that people see: those that are listed, and when a record was removed where that may
/// be so.
std::vector<std::size_t> columns_of(const RecordType& record, db::Visibility visibility) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < record.fields().size(); ++place) {
    const Field& field = record.fields()[place];
    const bool is_mark = field.name == "deleted_at" && visibility != db::Visibility::live;
    if ((field.is_listed || is_mark) && !field.is_secret) places.push_back(place);
  }
  return places;
}

std::string text_of(const Field& field, const db::Value& value) {
  const Json json = json_of(field, value);
  if (json.is_null()) return "";
  return json.is_string() ? json.get<std::string>() : json.dump();
}

/// A list of texts as people write one.
std::string list_text(const Json& list) {
  std::vector<std::string> items;
  for (const Json& item : list) items.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return fmt::format("{}", fmt::join(items, ", "));
}

TableCell cell_text(const Output& output, const Field& field, const db::Value& value) {
  if (value.type() == db::ValueType::null) return "";
  if (field.is_sealed) return "(sealed)";
  switch (field.kind) {
    case FieldKind::time:
      return output.time(Timestamp::parse(value.as_octets()));
    case FieldKind::integer:
      return format_count(value.as_integer());
    case FieldKind::boolean:
      return value.as_boolean() ? "yes" : "no";
    case FieldKind::id:
      return std::string(value.as_octets().substr(value.as_octets().size() - 8));
    case FieldKind::json: {
      const Json json = json_of(field, value);
      return json.is_array() ? list_text(json) : json.dump();
    }
    default:
      return text_of(field, value);
  }
}

/// Of the list in JSON: "tenants".
std::string list_name(const RecordType& record) {
  std::string name = record.plural();
  std::ranges::replace(name, ' ', '_');
  return name;
}

/// Writes the pages of a list in the form that was asked for.
class ListWriter {
 public:
  ListWriter(Output& output, const RecordType& record, const ListQuery& query, bool is_csv, bool is_whole)
      : output_(output),
        record_(record),
        places_(columns_of(record, query.visibility)),
        json_(output, list_name(record)),
        is_csv_(is_csv),
        is_whole_(is_whole) {}

  void add(const Page<RecordValues, Uuid>& page) {
    if (is_csv_) {
      add_csv(page.items);
    } else if (output_.wants_json()) {
      for (const RecordValues& row : page.items) json_.add(json_of(record_, row));
    } else if (!page.items.empty()) {
      add_table(page.items);
    }
    count_ += page.items.size();
    next_ = page.next;
  }
  void finish() {
    if (is_csv_) {
      if (count_ == 0) write_csv_header();
    } else if (output_.wants_json()) {
      json_.finish({{"next", next_ && !is_whole_ ? Json(next_->to_string()) : Json()}});
    } else if (count_ == 0) {
      output_.note(fmt::format("no {}", record_.noun()));
    }
    if (next_ && !is_whole_) output_.note("more follow: --after " + next_->to_string());
  }

 private:
  void write_csv_header() {
    std::vector<std::string> names;
    for (const Field& field : record_.fields()) {
      if (!field.is_secret) names.emplace_back(field.name);
    }
    output_.text(csv_line(names));
  }
  void add_csv(const std::vector<RecordValues>& rows) {
    if (count_ == 0) write_csv_header();
    for (const RecordValues& row : rows) {
      std::vector<std::string> texts;
      for (std::size_t place = 0; place < row.size(); ++place) {
        const Field& field = record_.fields()[place];
        if (!field.is_secret) texts.push_back(text_of(field, row[place]));
      }
      output_.text(csv_line(texts));
    }
  }
  void add_table(const std::vector<RecordValues>& rows) {
    Table table;
    for (const std::size_t place : places_) {
      const Field& field = record_.fields()[place];
      const bool is_number = field.kind == FieldKind::integer || field.kind == FieldKind::real;
      table.columns.push_back({heading_of(field), is_number ? Column::Align::right : Column::Align::left});
    }
    for (const RecordValues& row : rows) {
      std::vector<TableCell> cells;
      for (const std::size_t place : places_)
        cells.push_back(cell_text(output_, record_.fields()[place], row[place]));
      table.rows.push_back(std::move(cells));
    }
    output_.table(std::move(table));
  }

  Output& output_;
  const RecordType& record_;
  std::vector<std::size_t> places_;
  JsonList json_;
  bool is_csv_;
  bool is_whole_;
  std::size_t count_ = 0;
  std::optional<Uuid> next_;
};

int run_list(const Made& made, CommandContext& context, const Arguments& arguments) {
  require_one_of(arguments, "--removed", "--with-removed");
  require_one_of(arguments, "--all", "--limit");
  if (arguments.has("--csv") && context.output().wants_json())
    throw ValidationError("both --csv and --json are given", "Give one of them.");
  if (arguments.has("--descending") && !arguments.has("--sort"))
    throw ValidationError("--descending is given without --sort", "Name the field: --sort created_at.");
  const OpenStore store = made.store(context, arguments);
  const Scope scope = made.scope(context, arguments);
  ListQuery query =
      store.read(scope, [&](Reader& reader) { return query_of(*made.record, arguments, reader); });
  const bool is_whole = arguments.has("--all");
  ListWriter writer(context.output(), *made.record, query, arguments.has("--csv"), is_whole);
  do {
    const auto page = store.read(scope, [&](Reader& reader) { return reader.list(*made.record, query); });
    writer.add(page);
    query.after = page.next;
  } while (is_whole && query.after);
  writer.finish();
  return 0;
}

int run_show(const Made& made, CommandContext& context, const Arguments& arguments) {
  const OpenStore store = made.store(context, arguments);
  const RecordValues values = store.read(made.scope(context, arguments), [&](Reader& reader) {
    return *reader.find_values(*made.record, reader.find_id(*made.record, *arguments.text("ID")));
  });
  Output& output = context.output();
  if (output.wants_json()) {
    output.json(json_of(*made.record, values));
    return 0;
  }
  std::vector<std::pair<std::string, TableCell>> pairs;
  for (std::size_t place = 0; place < values.size(); ++place) {
    const Field& field = made.record->fields()[place];
    if (field.is_secret || (field.name == "deleted_at" && values[place].type() == db::ValueType::null))
      continue;
    const bool is_absent = values[place].type() == db::ValueType::null;
    const bool is_id = field.kind == FieldKind::id;
    pairs.emplace_back(label_of(field), is_absent ? TableCell("none")
                                        : is_id   ? TableCell(std::string(values[place].as_octets()))
                                                  : cell_text(output, field, values[place]));
  }
  output.key_values(pairs);
  return 0;
}

RecordValues values_with(const Made& made, const OpenStore& store, const Scope& scope, const Uuid& id) {
  return store.read(scope, [&](Reader& reader) { return *reader.find_values(*made.record, id); });
}

int run_remove(const Made& made, CommandContext& context, const Arguments& arguments) {
  const OpenStore store = made.store(context, arguments);
  const Scope scope = made.scope(context, arguments);
  const Uuid id =
      store.read(scope, [&](Reader& reader) { return reader.find_id(*made.record, *arguments.text("ID")); });
  if (arguments.has("--dry-run")) {
    const RecordValues values = values_with(made, store, scope, id);
    const auto mark =
        static_cast<std::size_t>(made.record->find("deleted_at") - made.record->fields().data());
    const bool is_removed = values[mark].type() != db::ValueType::null;
    show_change(context.output(), *made.record, values,
                is_removed ? "would refuse, being removed:" : "would remove");
    return 0;
  }
  context.require_confirmation(fmt::format("Remove the {} {}? It can be restored.", made.record->noun(),
                                           sanitize_for_terminal(*arguments.text("ID"))));
  if (made.remove != nullptr) {
    made.remove(store, scope, id);
  } else {
    store.change(scope,
                 [&](Change& change) { change.remove_row(*made.record, db::Parameter("", id).value); });
  }
  show_change(context.output(), *made.record, values_with(made, store, scope, id), "removed");
  return 0;
}

int run_restore(const Made& made, CommandContext& context, const Arguments& arguments) {
  const OpenStore store = made.store(context, arguments);
  const Scope scope = made.scope(context, arguments);
  const Uuid id =
      store.read(scope, [&](Reader& reader) { return reader.find_id(*made.record, *arguments.text("ID")); });
  if (made.restore != nullptr) {
    made.restore(store, scope, id);
  } else {
    store.change(scope,
                 [&](Change& change) { change.restore_row(*made.record, db::Parameter("", id).value); });
  }
  show_change(context.output(), *made.record, values_with(made, store, scope, id), "restored");
  return 0;
}

std::vector<Argument> list_options(const Made& made) {
  const RecordType& record = *made.record;
  static_assert(page_limit_default == 50, "the description says so");
  std::vector<Argument> options{
      {.name = "--limit",
       .value_name = "N",
       .type = ArgumentType::integer,
       .description = "show at most N (default: 50)",
       .minimum = 1,
       .maximum = page_limit_max},
      {.name = "--after",
       .value_name = "ID",
       .type = ArgumentType::text,
       .description = "begin after this one, the last of the page before"},
      {.name = "--all", .description = "every page"},
      {.name = "--where",
       .value_name = "FIELD=VALUE",
       .type = ArgumentType::text,
       .description = "only those whose field is so, or has no value (FIELD=); may be given several times",
       .repeats = true},
      {.name = "--sort",
       .value_name = "FIELD",
       .type = ArgumentType::text,
       .description = "in the order of a field (default: in which they were made)"},
      {.name = "--descending", .description = "the greatest first"},
      {.name = "--csv", .description = "as CSV, with every field"}};
  if (record.is_soft_deleted()) {
    options.push_back({.name = "--removed", .description = "only those that were removed"});
    options.push_back({.name = "--with-removed", .description = "those that were removed as well"});
  }
  return made.with_common(std::move(options));
}

Command verb_command(const Made& made, Verb verb, const RecordCommand& group) {
  const RecordType& record = *made.record;
  const std::string name(made.group());
  const auto act = [made](int (*run)(const Made&, CommandContext&, const Arguments&)) {
    return CommandAction([made, run](CommandContext& context, const Arguments& arguments) {
      return run(made, context, arguments);
    });
  };
  switch (verb) {
    case Verb::list:
      return {.name = "list",
              .summary = fmt::format("list the {}", record.plural()),
              .options = list_options(made),
              .example = fmt::format("nerve-db {} list --workspace demo", name),
              .run = act(&run_list)};
    case Verb::show:
      return {.name = "show",
              .summary = fmt::format("show a {}", record.noun()),
              .operands = {record_operand(record)},
              .options = made.with_common({}),
              .example = fmt::format("nerve-db {} show {} --workspace demo", name, group.example),
              .run = act(&run_show)};
    case Verb::remove:
      return {.name = "remove",
              .summary = fmt::format("mark a {} as removed", record.noun()),
              .description = fmt::format(
                  "What it had stays, and 'nerve-db {} restore' brings it back. Asks first.", name),
              .operands = {record_operand(record)},
              .options = made.with_common({yes_option(), dry_run_option()}),
              .example = fmt::format("nerve-db {} remove {} --yes --workspace demo", name, group.example),
              .run = act(&run_remove)};
    case Verb::restore:
      return {.name = "restore",
              .summary = fmt::format("bring a removed {} back", record.noun()),
              .operands = {record_operand(record)},
              .options = made.with_common({}),
              .example = fmt::format("nerve-db {} restore {} --workspace demo", name, group.removed_example),
              .run = act(&run_restore)};
  }
  return {};
}

}  // namespace

Command record_command(const RecordType& record, RecordCommand group) {
  const Made made{&record, group.placement, group.remove, group.restore};
  // Of a group within a group: "member" of "tenant member".
  const std::string_view words = record.facts().command;
  Command command{.name = words.substr(words.rfind(' ') + 1),
                  .summary = std::string(group.summary),
                  .description = std::string(group.description),
                  .commands = std::move(group.more)};
  for (const Verb verb : group.verbs) command.commands.push_back(verb_command(made, verb, group));
  command.example = command.commands.front().example;
  return command;
}

Argument record_operand(const RecordType& record) {
  const Field* natural = record.natural_key();
  return {.name = "ID",
          .type = ArgumentType::text,
          .description = natural == nullptr
                             ? fmt::format("id of the {}, or its last 8 characters", record.noun())
                             : fmt::format("{} of the {}, its id, or the last 8 characters of that",
                                           natural->name, record.noun()),
          .required = true};
}

Argument store_option() {
  return {.name = "--store",
          .value_name = "STORE",
          .type = ArgumentType::choice,
          .description = "core or secure (default: core)",
          .choices = choices_of<Store>()};
}

Store store_from(const Arguments& arguments) {
  return arguments.choice<Store>("--store").value_or(Store::core);
}

Argument tenant_option() {
  return {.name = "--tenant",
          .value_name = "TENANT",
          .type = ArgumentType::text,
          .description = "slug or id of the tenant (default: the only one)"};
}

}  // namespace nerve
