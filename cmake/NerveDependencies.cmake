# SPDX-License-Identifier: Apache-2.0
# Every third-party library, found once. All of them are Debian 12 packages; docs/decisions/ says why each is here.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SOCI REQUIRED COMPONENTS sqlite3 postgresql)
find_package(SQLiteCpp REQUIRED)
find_package(fmt REQUIRED)
find_package(Idn2 2.3 REQUIRED)
find_package(Md REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_package(CLI11 2.1 REQUIRED)
