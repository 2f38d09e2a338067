// SPDX-License-Identifier: Apache-2.0
// Goal: whatever a path holds, a shell reads the quoted word back as that path. Method: let sh print it.
#include "nerve/core/shell.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace {

std::string as_read_by_sh(const std::string& word) {
  const std::string command = "printf %s " + word;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 256> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    text.append(buffer.data(), count);
  }
  return text;
}

}  // namespace

TEST_CASE("a shell reads a quoted word back unchanged") {
  for (const std::string text : {"plain/path-1.db", "with space", "it's", "''", "$HOME `id` \"x\" \\n",
                                 "a;b|c&d>e", "*?[a]{b,c}", "~root", "=ls", "#x", "new\nline", "Ωmega"}) {
    INFO(text);
    CHECK(as_read_by_sh(nerve::shell_word(text)) == text);
    CHECK(as_read_by_sh(nerve::shell_quoted(text)) == text);
  }
}

TEST_CASE("a plain word is left as it is, an empty one is quoted") {
  CHECK(nerve::shell_word("/srv/app/app.db") == "/srv/app/app.db");
  CHECK(nerve::shell_word("") == "''");
}
