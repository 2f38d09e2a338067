// SPDX-License-Identifier: Apache-2.0
#include "convert/run.h"

#include "convert/torture.h"
#include "support/postgres_server.h"

#include "nerve/backends/postgresql/session.h"

#include <fstream>
#include <stdexcept>

namespace nerve::test {

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

Run::Run(std::string_view database, std::string_view script)
    : url(PostgresServer::shared().create_database(database)) {
  make_source(source, script);
  options.rejects = scratch / "rejects.jsonl";
}

void Run::rules(std::string_view text) {
  options.rules = scratch / "rules.toml";
  write(options.rules, text);
}

convert::ConvertReport Run::convert(ProgressSink* progress) const {
  return convert::convert(source, url, options, progress);
}

void Run::execute(const std::string& sql) const {
  postgresql::Session(url).execute(sql);
}

std::string Run::text(const std::string& sql) const {
  return postgresql::Session(url).text(sql).value_or("");
}

void Run::fail_at(const std::string& command) const {
  execute(
      "CREATE SCHEMA IF NOT EXISTS fault; CREATE OR REPLACE FUNCTION fault.fail() RETURNS event_trigger "
      "LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END $$; "
      "CREATE EVENT TRIGGER fail_at ON ddl_command_end WHEN TAG IN ('" +
      command + "') EXECUTE FUNCTION fault.fail()");
}

void Run::heal() const {
  execute("DROP EVENT TRIGGER fail_at");
}

bool Run::has_ledger() const {
  return !text("SELECT to_regnamespace('nerve_convert')").empty();
}

bool Run::has_rejects() const {
  return std::filesystem::exists(options.rejects);
}

}  // namespace nerve::test
