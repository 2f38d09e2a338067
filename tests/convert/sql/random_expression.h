// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "convert/sql/dice.h"

#include <array>
#include <string>
#include <string_view>

namespace nerve::test {

/// An expression of so many levels, whose operands are mostly of the kinds that its operations take.
class RandomExpression {
 public:
  explicit RandomExpression(Dice& dice) : dice_(dice) {}

  std::string any(int levels) {
    switch (dice_.next() % 4) {
      case 0:
        return number(levels);
      case 1:
        return text(levels);
      default:
        return condition(levels);
    }
  }

 private:
  std::string number(int levels) {
    if (levels == 0) return std::string(dice_.pick(numbers));
    const std::string a = number(levels - 1);
    switch (dice_.next() % 10) {
      case 0:
        return "(" + a + " + " + number(levels - 1) + ")";
      case 1:
        return "(" + a + " - " + number(levels - 1) + ")";
      case 2:
        return "(" + a + " / " + number(levels - 1) + ")";
      case 3:
        return "(" + a + " % " + number(levels - 1) + ")";
      case 4:
        return "coalesce(" + a + ", " + number(levels - 1) + ")";
      case 5:
        return "length(" + text(levels - 1) + ")";
      case 6:
        return "CASE WHEN " + condition(levels - 1) + " THEN " + a + " ELSE " + number(levels - 1) + " END";
      case 7:
        return "(" + condition(levels - 1) + ")";
      case 8:
        return "- " + a;
      default:
        return "min(" + a + ", " + number(levels - 1) + ")";
    }
  }

  std::string text(int levels) {
    if (levels == 0) return std::string(dice_.pick(texts));
    const std::string a = text(levels - 1);
    switch (dice_.next() % 9) {
      case 0:
        return "(" + a + " || " + text(levels - 1) + ")";
      case 1:
        return "(" + a + " || " + number(levels - 1) + ")";
      case 2:
        return "lower(" + a + ")";
      case 3:
        return "upper(" + a + ")";
      case 4:
        return "substr(" + a + ", 2, 3)";
      case 5:
        return "replace(" + a + ", 'a', " + text(levels - 1) + ")";
      case 6:
        return "ifnull(" + a + ", " + text(levels - 1) + ")";
      case 7:
        return "CASE " + a + " WHEN " + text(levels - 1) + " THEN " + text(levels - 1) + " END";
      default:
        return "max(" + a + ", " + text(levels - 1) + ")";
    }
  }

  std::string condition(int levels) {
    if (levels == 0) return std::string(dice_.pick(conditions));
    const bool is_text = dice_.next() % 2 == 0;
    const auto operand = [&] { return is_text ? text(levels - 1) : number(levels - 1); };
    const std::string a = operand();
    switch (dice_.next() % 8) {
      case 0:
        return "NOT " + condition(levels - 1);
      case 1:
        return "(" + condition(levels - 1) + " AND " + condition(levels - 1) + ")";
      case 2:
        return "(" + condition(levels - 1) + " OR " + condition(levels - 1) + ")";
      case 3:
        return "(" + a + " BETWEEN " + operand() + " AND " + operand() + ")";
      case 4:
        return "(" + a + " IN (" + operand() + ", " + operand() + "))";
      case 5:
        return "(" + a + " IS " + operand() + ")";
      case 6:
        return "(" + text(levels - 1) + " LIKE " + text(levels - 1) + ")";
      default:
        return "(" + a + std::string(dice_.pick(comparisons)) + operand() + ")";
    }
  }

  static constexpr std::array<std::string_view, 15> numbers = {"a", "b",    "n", "id", "0", "1",  "-2", "'3'",
                                                               "r", "NULL", "d", "f",  "7", "ep", "1.5"};
  static constexpr std::array<std::string_view, 14> texts = {"s",   "u",  "p", "s",    "'abc'", "''",  "'Ä'",
                                                             "day", "ts", "g", "NULL", "a",     "'1'", "x"};
  static constexpr std::array<std::string_view, 8> conditions = {
      "f", "a > 0", "s = 'abc'", "n", "TRUE", "u < 'b'", "b IS NULL", "ts > '2000'"};
  static constexpr std::array<std::string_view, 8> comparisons = {
      " = ", " <> ", " < ", " <= ", " > ", " >= ", " IS NOT ", " == "};
  Dice& dice_;
};

}  // namespace nerve::test
