// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/config.h"

#include "support/temp_folder.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

namespace nerve {

namespace {

using Texts = std::vector<std::string>;

const std::vector<Setting> sample_settings = {
    {.key = "name", .type = SettingType::text, .description = "a name", .default_text = "nobody"},
    {.key = "server.hosts", .type = SettingType::text_list, .description = "hosts", .default_text = "a,b"},
    {.key = "server.tls",
     .type = SettingType::boolean,
     .description = "whether to use TLS",
     .default_text = "true"},
    {.key = "server.port",
     .type = SettingType::integer,
     .description = "a port",
     .default_text = "5432",
     .minimum = 1,
     .maximum = 65535},
};

struct ConfigRefusal {
  std::string message;
  std::string hint;
};

ConfigRefusal config_refusal(std::string_view text) {
  try {
    Config::parse(text, "nerve.toml", sample_settings);
  } catch (const ValidationError& error) {
    return {error.what(), error.hint()};
  }
  return {"it was read", ""};
}

}  // namespace

TEST_CASE("what a file sets is read, with the place where it stands") {
  const Config config =
      Config::parse("name = \"nerve\"\n\n[server]\nport = 6432\ntls = false\nhosts = [\"x\", \"y\"]\n",
                    "nerve.toml", sample_settings);
  CHECK(config.text("name") == "nerve");
  CHECK(config.integer("server.port") == 6432);
  CHECK_FALSE(config.boolean("server.tls"));
  CHECK(config.text_list("server.hosts") == Texts{"x", "y"});
  CHECK(config.has("name"));
  CHECK(config.where("name") == "nerve.toml:1:1");
  CHECK(config.where("server.port") == "nerve.toml:4:1");
}

TEST_CASE("a dotted key is the same setting as one in a table") {
  const Config config = Config::parse("server.port = 6432\n", "nerve.toml", sample_settings);
  CHECK(config.integer("server.port") == 6432);
}

TEST_CASE("what a file does not set is at its default") {
  for (const Config& config :
       {Config::defaults(sample_settings), Config::parse("", "nerve.toml", sample_settings)}) {
    CHECK(config.text("name") == "nobody");
    CHECK(config.integer("server.port") == 5432);
    CHECK(config.boolean("server.tls"));
    CHECK(config.text_list("server.hosts") == Texts{"a", "b"});
    CHECK_FALSE(config.has("name"));
    CHECK(config.where("name") == "default");
  }
}

TEST_CASE("an unknown setting is refused with its place and the nearest known one") {
  const ConfigRefusal in_table = config_refusal("[server]\ntls = true\nprot = 1\n");
  CHECK(in_table.message == "nerve.toml:3:1: unknown setting 'server.prot'");
  CHECK(in_table.hint == "Did you mean 'server.port'?");
  const ConfigRefusal at_top = config_refusal("nam = \"x\"\n");
  CHECK(at_top.message == "nerve.toml:1:1: unknown setting 'nam'");
  CHECK(at_top.hint == "Did you mean 'name'?");
  CHECK(config_refusal("[unheard.of]\nx = 1\n").message.find("unknown setting 'unheard'") !=
        std::string::npos);
}

TEST_CASE("an unknown setting of a section is told apart from the others of that section") {
  CHECK(config_refusal("[server]\nprot = 1\n").hint == "Did you mean 'server.port'?");
  CHECK(config_refusal("[server]\nhost = 1\n").hint == "Did you mean 'server.hosts'?");
  CHECK(config_refusal("[server]\nport_number = 1\n").hint == "Did you mean 'server.port'?");
  CHECK(config_refusal("[server]\ncertificate = 1\n").hint ==
        "The section [server] has hosts, tls and port.");
  CHECK(config_refusal("[sevrer]\nport = 1\n").hint == "Did you mean 'server'?");
}

TEST_CASE("a setting that belongs into another section is told where it belongs") {
  CHECK(config_refusal("port = 1\n").hint == "Did you mean 'server.port'?");
  CHECK(config_refusal("[server]\nname = \"x\"\n").hint == "Did you mean 'name'?");
}

TEST_CASE("a table where a value belongs and a value where a table belongs are refused") {
  CHECK(config_refusal("[name]\nx = 1\n").message ==
        "nerve.toml:1:1: setting 'name' must be a text in quotes that is not empty");
  CHECK(config_refusal("server = 5\n").message == "nerve.toml:1:1: unknown setting 'server'");
  CHECK(config_refusal("server = 5\n").hint == "It is a section: write [server], and its settings below.");
}

TEST_CASE("a value of the wrong type is refused with its place and what is expected") {
  CHECK(config_refusal("name = \"\"\n").message ==
        "nerve.toml:1:8: setting 'name' must be a text in quotes that is not empty");
  CHECK(config_refusal("name = 5\n").message ==
        "nerve.toml:1:8: setting 'name' must be a text in quotes that is not empty");
  CHECK(config_refusal("[server]\nport = \"5\"\n").message ==
        "nerve.toml:2:8: setting 'server.port' must be an integer");
  CHECK(config_refusal("[server]\nport = 5.0\n").message ==
        "nerve.toml:2:8: setting 'server.port' must be an integer");
  CHECK(config_refusal("[server]\ntls = 1\n").message ==
        "nerve.toml:2:7: setting 'server.tls' must be true or false");
  CHECK(config_refusal("[server]\nhosts = [\"a\", 1]\n").message ==
        "nerve.toml:2:9: setting 'server.hosts' must be a list of texts in brackets");
}

TEST_CASE("an integer outside its limits is refused with the limits") {
  CHECK(config_refusal("server.port = 0\n").message ==
        "nerve.toml:1:15: setting 'server.port' must be from 1 to 65535");
  CHECK(config_refusal("server.port = 65536\n").message ==
        "nerve.toml:1:15: setting 'server.port' must be from 1 to 65535");
  CHECK(config_refusal("server.port = 65535\n").message == "it was read");
}

TEST_CASE("a syntax error is refused with line and column") {
  CHECK(config_refusal("name = \"x\"\n[server\nport = 1\n").message.starts_with("nerve.toml:2:8: "));
  CHECK(config_refusal("name = \n").message.starts_with("nerve.toml:1:8: "));
  CHECK(config_refusal("name = \"a\"\nname = \"b\"\n").message.starts_with("nerve.toml:2:"));
}

TEST_CASE("a value that is refused does not show in the error") {
  for (const char* text :
       {"server.port = \"geheim\"\n", "name = 'geheim\n", "name = geheim\n", "name = \"\\qgeheim\"\n"}) {
    CAPTURE(text);
    const ConfigRefusal refusal = config_refusal(text);
    CHECK(refusal.message != "it was read");
    CHECK((refusal.message + refusal.hint).find("geheim") == std::string::npos);
  }
}

TEST_CASE("paths begin at the file's folder") {
  const Config config = Config::parse("name = \"backups\"\n", "/srv/nerve/nerve.toml", sample_settings);
  CHECK(config.path("name") == "/srv/nerve/backups");
  CHECK(Config::parse("name = \"/mnt/b\"\n", "/srv/nerve/nerve.toml", sample_settings).path("name") ==
        "/mnt/b");
  CHECK(Config::defaults(sample_settings).path("name") == "nobody");
}

TEST_CASE("asking for a setting that is not known or of another type is an error") {
  const Config config = Config::defaults(sample_settings);
  CHECK_THROWS_AS(config.text("nothing"), Error);
  CHECK_THROWS_AS(config.has("nothing"), Error);
  CHECK_THROWS_AS(config.integer("name"), Error);
}

TEST_CASE("a file is read, and one that others may change is refused with the command that mends it") {
  const test::TempFolder folder;
  const auto path = folder / "nerve.toml";
  std::ofstream(path) << "name = \"nerve\"\n";
  for (const mode_t allowed : {0600U, 0644U, 0444U}) {
    REQUIRE(chmod(path.c_str(), allowed) == 0);
    CHECK(Config::load(path, sample_settings).text("name") == "nerve");
  }
  CHECK(Config::load(path, sample_settings).where("name") == path.string() + ":1:1");
  CHECK(Config::load(path, sample_settings).file() == path);
  for (const mode_t refused : {0620U, 0602U, 0666U}) {
    REQUIRE(chmod(path.c_str(), refused) == 0);
    try {
      Config::load(path, sample_settings);
      FAIL("it was read");
    } catch (const DeniedError& error) {
      CHECK(error.hint() == "Run: chmod go-w " + shell_word(path.string()));
    }
  }
}

TEST_CASE("a file that is missing, no regular file or too large is refused") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(Config::load(folder / "nerve.toml", sample_settings), NotFoundError);
  CHECK_THROWS_AS(Config::load(folder.path(), sample_settings), ValidationError);
  const auto pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_AS(Config::load(pipe, sample_settings), ValidationError);
  std::ofstream(folder / "large.toml") << std::string(1024 * 1024 + 1, '#');
  REQUIRE(chmod((folder / "large.toml").c_str(), 0600) == 0);
  CHECK_THROWS_AS(Config::load(folder / "large.toml", sample_settings), ValidationError);
}

TEST_CASE("every setting that NERVE knows has a description and a default within its limits") {
  const Config config = Config::defaults();
  for (const Setting& setting : core_settings()) {
    CAPTURE(setting.key);
    CHECK_FALSE(setting.description.empty());
    if (setting.type != SettingType::integer) continue;
    CHECK(config.integer(setting.key) >= setting.minimum);
    CHECK(config.integer(setting.key) <= setting.maximum);
  }
  for (const char* key : {"database.url",
                          "database.password_file",
                          "database.pool_size",
                          "database.statement_timeout_ms",
                          "database.lock_timeout_ms",
                          "database.busy_timeout_ms",
                          "backup.repository",
                          "query_log.file",
                          "query_log.slow_ms",
                          "health.free_disk_min_percent",
                          "health.free_list_max_percent",
                          "health.wal_max_mib",
                          "health.growth_max_percent",
                          "health.backup_max_hours",
                          "health.verified_max_hours",
                          "health.state_file",
                          "health.skip",
                          "workspace.id",
                          "database.secure_url",
                          "database.scratch_url",
                          "maintenance.windows",
                          "maintenance.notify",
                          "backup.before",
                          "backup.after",
                          "backup.hook_timeout_s",
                          "backup.metrics_file"}) {
    CHECK_NOTHROW(config.has(key));
  }
  CHECK(core_settings().size() == 29);
  CHECK_THROWS_AS(Config::parse("database.pool_size = 65\n", "nerve.toml"), ValidationError);
  CHECK_THROWS_AS(Config::parse("database.pool_size = 0\n", "nerve.toml"), ValidationError);
}

}  // namespace nerve
