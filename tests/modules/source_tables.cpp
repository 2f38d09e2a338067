// SPDX-License-Identifier: Apache-2.0
#include "modules/source_tables.h"

#include <fstream>
#include <regex>
#include <stdexcept>
#include <vector>

namespace nerve::test {

namespace {

using Tables = std::map<std::string, std::set<std::string>>;

/// Words that a line begins with as a table would, and that are none.
const std::set<std::string> headings{"views", "transitions"};

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find(separator, begin)) != std::string::npos;) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// "started_at, completed_at ts": the names in front of the type.
void add_columns(const std::string& text, std::set<std::string>& columns) {
  if (text.starts_with("+std") || text.find(" +std") != std::string::npos) {
    columns.insert({"user_id", "created_at", "updated_at", "deleted_at"});
  }
  // A name ends at its type, its marks or the end; two plain words beside each other are prose unless the
  // second one is a type.
  static const std::regex column(
      R"(^([a-z0-9_]+)(\[\])?(!|=\S*)?( (u|i|id|ts|num|real|bool|json|ip|str\(|text|ref\(?|cascade|\{|=|\+std|\().*)?$)");
  for (const std::string& part : split(text, ", ")) {
    std::smatch match;
    const std::string one = trimmed(part);
    if (!std::regex_search(one, match, column)) return;
    columns.insert(match[1]);
    if (match[4].matched) return;
  }
}

void read_table_line(const std::string& line, Tables& tables) {
  static const std::regex form(R"(^([a-z][a-z0-9_]*(?:, [a-z][a-z0-9_]*)*)(?: \([^)]*\))?: (.*)$)");
  std::smatch match;
  if (!std::regex_match(line, match, form)) return;
  for (const std::string& name : split(match[1], ", ")) {
    if (headings.contains(name)) continue;
    std::set<std::string>& columns = tables[name];
    for (const std::string& field : split(match[2], " · ")) add_columns(trimmed(field), columns);
  }
}

/// "core database: users, roles (role_code u, permissions json), … organizations, user_organizations
/// (is_primary)".
void read_database_line(const std::string& line, Tables& tables) {
  static const std::regex form(R"(([a-z][a-z0-9_]*)(?: \(([^)]*)\))?(?:, |$))");
  const std::string text = line.substr(line.find(": ") + 2);
  for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at) {
    std::set<std::string>& columns = tables[(*at)[1]];
    for (const std::string& field : split((*at)[2], ", ")) {
      if (!field.empty()) columns.insert(field.substr(0, field.find_first_of(" [")));
    }
  }
}

}  // namespace

std::map<std::string, std::set<std::string>> read_source_tables(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  Tables tables;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("core database: ")) {
      // The line ends with "…, audit_log, and" before the tables that have lines of their own.
      const std::size_t rest = line.rfind(", and");
      read_database_line(line.substr(0, rest), tables);
    } else {
      read_table_line(line, tables);
    }
  }
  return tables;
}

}  // namespace nerve::test
