// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's libpq at first use: with Kerberos, LDAP and two TLS libraries behind it, loading it takes
// twice as long as sqlite3 needs for a whole query. What backends/postgresql and SOCI call of it is listed
// here; the test cli_start_up fails where something is missing.
#include "lazy_libraries/lazy_library.h"

#include <libpq-fe.h>

#include <cstddef>

namespace {

const nerve::cli::LazyLibrary& libpq() {
  static const nerve::cli::LazyLibrary library("libpq.so.5", "libpq5");
  return library;
}

}  // namespace

#define LAZY(result, name, parameters, arguments) \
  NERVE_LAZY_FUNCTION(libpq, result, name, parameters, arguments)

// Connections.
LAZY(PGconn*, PQconnectdb, (const char* conninfo), (conninfo))
LAZY(void, PQfinish, (PGconn * connection), (connection))
LAZY(ConnStatusType, PQstatus, (const PGconn* connection), (connection))
LAZY(PGTransactionStatusType, PQtransactionStatus, (const PGconn* connection), (connection))
LAZY(char*, PQerrorMessage, (const PGconn* connection), (connection))
LAZY(int, PQserverVersion, (const PGconn* connection), (connection))
LAZY(int, PQsocket, (const PGconn* connection), (connection))
LAZY(int, PQconsumeInput, (PGconn * connection), (connection))
LAZY(int, PQsetnonblocking, (PGconn * connection, int is_nonblocking), (connection, is_nonblocking))
LAZY(int, PQflush, (PGconn * connection), (connection))
LAZY(int, PQisBusy, (PGconn * connection), (connection))
LAZY(PGcancel*, PQgetCancel, (PGconn * connection), (connection))
LAZY(int, PQcancel, (PGcancel * request, char* error, int size), (request, error, size))
LAZY(void, PQfreeCancel, (PGcancel * request), (request))
LAZY(PGVerbosity, PQsetErrorVerbosity, (PGconn * connection, PGVerbosity verbosity), (connection, verbosity))
LAZY(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn * connection, PQnoticeReceiver receiver, void* context),
     (connection, receiver, context))

// Statements.
LAZY(PGresult*, PQexec, (PGconn * connection, const char* sql), (connection, sql))
LAZY(PGresult*, PQexecParams,
     (PGconn * connection, const char* sql, int count, const Oid* types, const char* const* values,
      const int* lengths, const int* formats, int result_format),
     (connection, sql, count, types, values, lengths, formats, result_format))
LAZY(PGresult*, PQprepare,
     (PGconn * connection, const char* name, const char* sql, int count, const Oid* types),
     (connection, name, sql, count, types))
LAZY(PGresult*, PQdescribePrepared, (PGconn * connection, const char* name), (connection, name))
LAZY(PGresult*, PQexecPrepared,
     (PGconn * connection, const char* name, int count, const char* const* values, const int* lengths,
      const int* formats, int result_format),
     (connection, name, count, values, lengths, formats, result_format))
LAZY(int, PQsendQuery, (PGconn * connection, const char* sql), (connection, sql))
LAZY(int, PQsendQueryParams,
     (PGconn * connection, const char* sql, int count, const Oid* types, const char* const* values,
      const int* lengths, const int* formats, int result_format),
     (connection, sql, count, types, values, lengths, formats, result_format))
LAZY(int, PQsendPrepare,
     (PGconn * connection, const char* name, const char* sql, int count, const Oid* types),
     (connection, name, sql, count, types))
LAZY(int, PQsendQueryPrepared,
     (PGconn * connection, const char* name, int count, const char* const* values, const int* lengths,
      const int* formats, int result_format),
     (connection, name, count, values, lengths, formats, result_format))
LAZY(int, PQsetSingleRowMode, (PGconn * connection), (connection))
LAZY(PGresult*, PQgetResult, (PGconn * connection), (connection))
LAZY(int, PQputCopyData, (PGconn * connection, const char* bytes, int count), (connection, bytes, count))
LAZY(int, PQputCopyEnd, (PGconn * connection, const char* error), (connection, error))
LAZY(int, PQgetCopyData, (PGconn * connection, char** bytes, int is_async), (connection, bytes, is_async))
LAZY(void, PQfreemem, (void* memory), (memory))

// Results.
LAZY(void, PQclear, (PGresult * result), (result))
LAZY(std::size_t, PQresultMemorySize, (const PGresult* result), (result))
LAZY(ExecStatusType, PQresultStatus, (const PGresult* result), (result))
LAZY(char*, PQresultErrorMessage, (const PGresult* result), (result))
LAZY(char*, PQresultErrorField, (const PGresult* result, int field), (result, field))
LAZY(char*, PQcmdStatus, (PGresult * result), (result))
LAZY(char*, PQcmdTuples, (PGresult * result), (result))
LAZY(int, PQntuples, (const PGresult* result), (result))
LAZY(int, PQnfields, (const PGresult* result), (result))
LAZY(char*, PQfname, (const PGresult* result, int column), (result, column))
LAZY(int, PQfformat, (const PGresult* result, int column), (result, column))
LAZY(int, PQfsize, (const PGresult* result, int column), (result, column))
LAZY(Oid, PQftype, (const PGresult* result, int column), (result, column))
LAZY(char*, PQgetvalue, (const PGresult* result, int row, int column), (result, row, column))
LAZY(int, PQgetlength, (const PGresult* result, int row, int column), (result, row, column))
LAZY(int, PQgetisnull, (const PGresult* result, int row, int column), (result, row, column))

// Large objects, which only SOCI's blobs would call.
LAZY(int, lo_open, (PGconn * connection, Oid object, int mode), (connection, object, mode))
LAZY(int, lo_close, (PGconn * connection, int descriptor), (connection, descriptor))
LAZY(int, lo_read, (PGconn * connection, int descriptor, char* bytes, size_t count),
     (connection, descriptor, bytes, count))
LAZY(int, lo_write, (PGconn * connection, int descriptor, const char* bytes, size_t count),
     (connection, descriptor, bytes, count))
LAZY(int, lo_lseek, (PGconn * connection, int descriptor, int offset, int whence),
     (connection, descriptor, offset, whence))

#undef LAZY
