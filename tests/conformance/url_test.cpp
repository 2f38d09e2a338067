// SPDX-License-Identifier: Apache-2.0
#include "postgresql/url.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

using namespace nerve;
using backends::parse_postgresql_url;

TEST_CASE("a PostgreSQL URL is taken apart") {
  const auto url = parse_postgresql_url(
      "postgresql://an%40na@db1.example.org:5433,[2001:db8::1]:5434,db3/my%20app?application_name=x%26y");
  CHECK(url.user == "an@na");
  REQUIRE(url.hosts.size() == 3);
  CHECK(url.hosts[0].name == "db1.example.org");
  CHECK(url.hosts[0].port == "5433");
  CHECK(url.hosts[1].name == "2001:db8::1");
  CHECK(url.hosts[1].port == "5434");
  CHECK(url.hosts[2].name == "db3");
  CHECK(url.hosts[2].port.empty());
  CHECK(url.database == "my app");
  CHECK(url.settings.at("application_name") == "x&y");
}

TEST_CASE("a socket's folder comes percent-encoded as host or as a setting") {
  CHECK(parse_postgresql_url("postgresql://%2Frun%2Fpostgresql/app").hosts[0].name == "/run/postgresql");
  const auto url = parse_postgresql_url("postgresql:///app?host=/run/postgresql&port=5433");
  CHECK(url.hosts[0].name == "/run/postgresql");
  CHECK(url.hosts[0].port == "5433");
}

TEST_CASE("hosts that are not this machine default to verified TLS, this machine does not") {
  const auto mode_of = [](std::string_view url) {
    const std::string conninfo = parse_postgresql_url(url).conninfo({});
    return conninfo.find("sslmode='verify-full'") != std::string::npos;
  };
  CHECK(mode_of("postgresql://db.example.org/app"));
  CHECK(mode_of("postgresql://localhost,db.example.org/app"));
  CHECK(mode_of("postgresql://10.0.0.5/app"));
  CHECK(mode_of("postgresql://127.evil.example.org/app"));
  CHECK_FALSE(mode_of("postgresql://db.example.org/app?sslmode=require"));
  for (const char* local :
       {"postgresql:///app", "postgresql://localhost/app", "postgresql://127.0.0.1:5433/app",
        "postgresql://[::1]/app", "postgresql://%2Frun%2Fpg/app"}) {
    INFO(local);
    CHECK_FALSE(mode_of(local));
  }
}

TEST_CASE("values are quoted for libpq") {
  const std::string conninfo = parse_postgresql_url("postgresql://o'brien@localhost/a%5Cb").conninfo({});
  CHECK(conninfo.find(R"(user='o\'brien')") != std::string::npos);
  CHECK(conninfo.find(R"(dbname='a\\b')") != std::string::npos);
}

TEST_CASE("a URL that cannot be read is refused with a hint") {
  for (const char* text :
       {"postgresql:/x", "postgresql://host:port/app", "postgresql://host:70000/app", "postgresql://[::1/app",
        "postgresql://[::1]x/app", "postgresql://host/app?nonsense=1",
        "postgresql://host/app?sslmode=require&sslmode=disable", "postgresql://host/%zz",
        "postgresql://host/%00", "postgresql://host/a/b", "postgresql://host/app?host=other",
        "postgresql:///app?host=a,b&port=1,2,3", "postgresql://u:p@host/app",
        "postgresql://host/app?passfile=x"}) {
    INFO(text);
    try {
      parse_postgresql_url(text);
      FAIL("accepted");
    } catch (const ValidationError& error) {
      CHECK_FALSE(error.hint().empty());
    }
  }
}

TEST_CASE("the display name has no settings") {
  CHECK(parse_postgresql_url("postgresql://anna@h1:1,h2/app?sslkey=/secret/place").display_name() ==
        "postgresql://anna@h1:1,h2/app");
}
