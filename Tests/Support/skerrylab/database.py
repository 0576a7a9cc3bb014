"""The coordinator's database, read beside it."""
import sqlite3


def rows(state, query, *values):
    """Straight from the file below the coordinator's state folder, whether or not the coordinator runs."""
    database = sqlite3.connect(f"file:{state}/skerry.db?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(query, values).fetchall()
    finally:
        database.close()
