#include <dlfcn.h>
#include <postgresql/libpq-fe.h>
#include <stdbool.h>

// libpq is loaded when a database is opened and not linked: it brings some twenty libraries (Kerberos, LDAP, TLS) with
// it, 3 MiB of a process, which coordinators with the embedded engine do without.
#define SKERRY_PQ_FUNCTIONS(one)                                                                                       \
    one(PQconnectdbParams) one(PQfinish) one(PQstatus) one(PQerrorMessage) one(PQsocket) one(PQserverVersion)          \
    one(PQsetnonblocking) one(PQsetNoticeProcessor) one(PQenterPipelineMode) one(PQpipelineSync)                       \
    one(PQsendQueryParams) one(PQsendPrepare) one(PQsendDescribePrepared) one(PQsendQueryPrepared)                     \
    one(PQflush) one(PQconsumeInput) one(PQisBusy) one(PQgetResult) one(PQclear)                                       \
    one(PQresultStatus) one(PQresultErrorField) one(PQcmdTuples) one(PQcmdStatus) one(PQntuples) one(PQnfields)        \
    one(PQftype) one(PQgetisnull) one(PQgetlength) one(PQgetvalue) one(PQnparams) one(PQparamtype)

#define SKERRY_PQ_MEMBER(name) __typeof__(name) *_Nonnull name;
typedef struct {
    SKERRY_PQ_FUNCTIONS(SKERRY_PQ_MEMBER)
} SkerryPQ;

// Fills in the table; false where libpq is not installed or too old.
static inline bool skerryLoadPQ(SkerryPQ *_Nonnull table) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
#define SKERRY_PQ_LOAD(name) if (!(table->name = (__typeof__(name) *)dlsym(library, #name))) return false;
    SKERRY_PQ_FUNCTIONS(SKERRY_PQ_LOAD)
    return true;
}

// A macro of a character, which Swift sees as a number of another type.
static const int skerryPQSQLState = PG_DIAG_SQLSTATE;
static const int skerryPQMessage = PG_DIAG_MESSAGE_PRIMARY;
static const int skerryPQDetail = PG_DIAG_MESSAGE_DETAIL;
static const int skerryPQTable = PG_DIAG_TABLE_NAME;
