import CoordinatorPlatform

enum ConsoleSchema {
    static let migrations = [Migration(slice: "console", number: 1, name: "tokens", sql: tokens)]

    private static let tokens = """
        CREATE TABLE console_tokens (
            id INTEGER PRIMARY KEY,
            hash TEXT NOT NULL UNIQUE,
            server_uuid TEXT NOT NULL,
            kind TEXT NOT NULL,
            expires_at BIGINT NOT NULL
        );
        CREATE INDEX console_tokens_by_server ON console_tokens (server_uuid);
        CREATE INDEX console_tokens_by_end ON console_tokens (expires_at);
        """
}
