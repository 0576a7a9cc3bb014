// What Swift cannot import from SQLite: variadic calls, a destructor that is a number, composed macros.
#ifndef SKERRY_CSQLITE_SHIM_H
#define SKERRY_CSQLITE_SHIM_H

#include <sqlite3.h>

static const int skerryDuplicate = SQLITE_CONSTRAINT_UNIQUE;
static const int skerryDuplicateKey = SQLITE_CONSTRAINT_PRIMARYKEY;
static const int skerryMissingReference = SQLITE_CONSTRAINT_FOREIGNKEY;

// A word in double quotes is a name, never a text: a mistyped column is an error then.
static inline void skerryRefuseQuotedTexts(sqlite3 *database) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, (void *)0);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, (void *)0);
}

// SQLite copies the bytes. No pointer would mean NULL, and an empty text may come without one.
static inline int skerryBindText(sqlite3_stmt *statement, int index, const void *text, int count) {
    return sqlite3_bind_text(statement, index, text ? (const char *)text : "", count, SQLITE_TRANSIENT);
}

static inline int skerryBindBlob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

#endif
