// SPDX-License-Identifier: Apache-2.0
#include "postgresql/errors.h"

#include "postgresql/session_settings.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <algorithm>
#include <array>

namespace nerve::backends {

namespace {

struct Meaning {
  std::string_view state;  ///< a SQLSTATE or the class it begins with
  ErrorKind kind;
  std::string_view message;
  std::string_view hint;
};

// The first match counts, so single codes stand before their class. Codes: PostgreSQL manual, appendix A.
constexpr std::array meanings{
    Meaning{"23505", ErrorKind::conflict, "unique constraint violated",
            "A row with this key exists already: change it, or choose another key."},
    Meaning{"23503", ErrorKind::conflict, "foreign key violated",
            "Make the row that is referred to first, and remove it last."},
    Meaning{"23502", ErrorKind::invalid, "NOT NULL constraint violated", "Give the column a value."},
    Meaning{"23514", ErrorKind::invalid, "CHECK constraint violated",
            "Give values that the table's rules allow."},
    Meaning{"23", ErrorKind::conflict, "constraint violated", "Give values that the table's rules allow."},
    Meaning{"22", ErrorKind::invalid, "a value does not fit its type",
            "Check the type, length and range of the values."},
    Meaning{"25006", ErrorKind::denied, "a statement that changes the database inside read()",
            "Use write() for it."},
    Meaning{"25P03", ErrorKind::unavailable, "the transaction was idle for too long",
            "Make transactions shorter."},
    Meaning{"25", ErrorKind::failure, "the transaction is in the wrong state",
            "Let the first error leave the closure."},
    Meaning{"28", ErrorKind::denied, "the server does not admit this user",
            "Check user and password (.pgpass or PGPASSWORD)."},
    Meaning{"40001", ErrorKind::unavailable, "serialization failure", "Try again."},
    Meaning{"40P01", ErrorKind::unavailable, "deadlock",
            "Lock rows in one order; the work may be tried again."},
    Meaning{"0A000", ErrorKind::unsupported, "the server cannot do this",
            "Use other SQL, or a newer server."},
    Meaning{"42501", ErrorKind::denied, "the user may not do this", "Grant the right, or use another user."},
    Meaning{"42", ErrorKind::failure, "the statement does not fit the schema",
            "Correct the statement, or migrate the database to the schema it expects."},
    Meaning{"53100", ErrorKind::unavailable, "the server's disk is full", "Free space on the server."},
    Meaning{"53300", ErrorKind::unavailable, "the server has too many connections",
            "Lower database.pool_size, or raise max_connections."},
    Meaning{"53", ErrorKind::unavailable, "the server lacks resources", "Look into the server's log."},
    Meaning{"55P03", ErrorKind::unavailable, "a lock could not be had in time",
            "Find who holds it in pg_locks, or raise database.lock_timeout_ms."},
    Meaning{"57014", ErrorKind::unavailable, "the statement took too long or was cancelled",
            "Make it faster, or raise database.statement_timeout_ms."},
    Meaning{"57P", ErrorKind::unavailable, "the server ended the connection",
            "Wait until the server is up again."},
    Meaning{"08", ErrorKind::unavailable, "the connection was lost",
            "Check that the server runs and can be reached."},
    Meaning{"XX", ErrorKind::integrity, "the server reports an internal error or damaged data",
            "Look into the server's log, and check the database with amcheck."},
};

constexpr Meaning other{"", ErrorKind::failure, "the server refused a statement",
                        "Look into the server's log."};

constexpr Meaning refused_by_policy{"42501", ErrorKind::denied,
                                    "a policy of row-level security refuses a row",
                                    "Begin the transaction for the tenant whose rows it writes."};

const Meaning& meaning_of(std::string_view state) {
  for (const Meaning& meaning : meanings) {
    if (state.starts_with(meaning.state)) return meaning;
  }
  return other;
}

std::string field(const PGresult* result, int code) {
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

/// "SEVERITY:  SQLSTATE: message", as PQERRORS_VERBOSE begins.
struct VerboseText {
  std::string state;
  std::string message;
};

VerboseText read_verbose(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  const std::size_t severity_end = text.find(":  ");
  if (severity_end == std::string_view::npos) return {};
  text.remove_prefix(severity_end + 3);
  constexpr std::size_t state_length = 5;
  if (text.size() < state_length + 2 || text[state_length] != ':') return {};
  return {std::string(text.substr(0, state_length)), std::string(text.substr(state_length + 2))};
}

/// Whether it is a row that a policy's WITH CHECK does not let in, and not a right that the role lacks. The
/// server has one SQLSTATE for both, and this function for the first.
bool is_refused_by_policy(std::string_view state, const PGresult* result) {
  return state == refused_by_policy.state && field(result, PG_DIAG_SOURCE_FUNCTION) == "ExecWithCheckOptions";
}

std::string describe(const Meaning& meaning, const PGresult* result, bool preparing,
                     const std::string& server_text) {
  // Of policies the server names the table, and the policy where one alone refuses, and nothing of the row.
  if (&meaning == &refused_by_policy && !server_text.empty()) return server_text;
  if (preparing && !server_text.empty()) {
    // Where it is the moment that is wrong, the server's words alone ("could not extend file") do not say so.
    const bool is_about_moment = meaning.kind == ErrorKind::unavailable;
    return (is_about_moment ? std::string(meaning.message) : "statement refused") + ": " + server_text;
  }
  std::string message(meaning.message);
  const std::string constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  const std::string table = field(result, PG_DIAG_TABLE_NAME);
  const std::string column = field(result, PG_DIAG_COLUMN_NAME);
  if (!constraint.empty()) message += " (" + constraint + ")";
  if (!table.empty()) message += ": " + table + (column.empty() ? "" : "." + column);
  return message;
}

/// libpq writes a line for each address that it tried, and below some a question for people that begins with
/// a tab; the hint stands for these.
std::string on_one_line(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('\t') || trimmed(line).empty()) continue;
    joined.append(joined.empty() ? "" : "; ").append(trimmed(line));
  }
  return joined;
}

}  // namespace

void throw_postgresql_error(PGconn* connection, const PGresult* result, const std::string& database,
                            bool preparing) {
  std::string state = field(result, PG_DIAG_SQLSTATE);
  std::string server_text = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state.empty()) {
    VerboseText verbose = read_verbose(PQerrorMessage(connection));
    state = std::move(verbose.state);
    server_text = std::move(verbose.message);
  }
  const bool lost = PQstatus(connection) != CONNECTION_OK;
  if (state.empty()) state = lost ? "08006" : "XX000";
  const Meaning& meaning = is_refused_by_policy(state, result) ? refused_by_policy : meaning_of(state);
  const std::string hint(meaning.hint);
  const std::string message = describe(meaning, result, preparing, server_text);
  if (lost || state.starts_with("08") || state.starts_with("57P")) {
    throw ConnectionError(message + " (" + database + ")", hint, state);
  }
  if (state.starts_with("40")) {
    throw TransactionError(TransactionError::Outcome::rolled_back, message + " on " + database, hint, state,
                           meaning.kind);
  }
  throw DatabaseError(meaning.kind, message + " (SQLSTATE " + state + ")", hint, state);
}

void throw_connect_error(std::string_view text, const std::string& database) {
  // SOCI puts a line of its own before libpq's. At this point no value was sent, and libpq never repeats a
  // password.
  const std::size_t line_end = text.find('\n');
  const std::string reason = on_one_line(line_end == std::string_view::npos ? text : text.substr(line_end));
  const auto says = [&](std::string_view words) { return reason.find(words) != std::string::npos; };
  const std::string message = "cannot connect to " + database + ": " + reason;
  if (says("password authentication failed") || says("no password supplied") ||
      says("no pg_hba.conf entry") || says("Peer authentication failed")) {
    throw ConnectionError(
        message, "Check the user, and its password in .pgpass, database.password_file or PGPASSWORD.",
        "28000", ErrorKind::denied);
  }
  if (says("permission denied for database")) {
    throw ConnectionError(message, "Grant this user CONNECT on the database, or use another user.", "42501",
                          ErrorKind::denied);
  }
  if (says("root certificate") || says("certificate verify failed") || says("does not match host name") ||
      says("SSL")) {
    throw ConnectionError(
        message,
        "Name the server's certificate authority with ?sslrootcert=FILE, or for a network that "
        "you trust choose another ?sslmode=.",
        "08001", ErrorKind::denied);
  }
  if (says("database \"") && says("does not exist")) {
    throw ConnectionError(message, "Create it with createdb, or correct the name.", "3D000",
                          ErrorKind::not_found);
  }
  if (says("is starting up") || says("is shutting down") || says("in recovery mode")) {
    throw ConnectionError(message, "Wait until the server is up.", "57P03");
  }
  if (says("too many connections") || says("too many clients") || says("connection slots are reserved")) {
    throw ConnectionError(
        message, "Use fewer connections at once, or raise the limit of the role, the database or the server.",
        "53300");
  }
  if (is_refusal_of_options(reason)) {
    throw ConnectionError(message,
                          "Unset PGOPTIONS: the proxy takes no settings with the request to connect.");
  }
  throw ConnectionError(message, "Check that the server runs, and its host and port.");
}

}  // namespace nerve::backends
