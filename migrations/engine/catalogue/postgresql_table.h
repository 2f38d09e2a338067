// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/catalogue.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace nerve::migrations {

/// A name as PostgreSQL reads it, in quotes where it needs them.
std::string written(std::string_view name);

/// The CREATE TABLE of a PostgreSQL table with the constraints for which `is_inside` says so. Of a partition
/// only what its parent does not bring.
std::string create_table_sql(const Object& table, const std::function<bool(const Constraint&)>& is_inside);

/// Whether a constraint can stand in CREATE TABLE: one that was never checked (NOT VALID) cannot.
bool can_stand_inside(const Constraint& constraint);

struct SequenceFacts {
  std::string type;
  std::int64_t start = 1;
  std::int64_t increment = 1;
  std::int64_t value_min = 1;
  std::int64_t value_max = 0;
  std::int64_t cache = 1;
  bool cycles = false;
};

/// The options in which a sequence differs from one that was made without any: "INCREMENT BY 2 START WITH
/// 10".
std::string sequence_options(const SequenceFacts& facts);

/// A definition without the name of the schema before names in it, texts in quotes aside.
std::string without_schema(std::string_view sql, std::string_view schema);

}  // namespace nerve::migrations
