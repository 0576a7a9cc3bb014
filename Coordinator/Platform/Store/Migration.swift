/// One step of a slice's schema. Released steps never change; a new one is added behind them.
public struct Migration: Sendable {
    /// The slice whose tables it makes: `identity`, `compute`, ...
    public let slice: String
    /// 1, 2, 3, ... within the slice.
    public let number: Int
    public let name: String
    /// Statements separated by `;`, without a transaction of their own.
    public let sql: String

    public init(slice: String, number: Int, name: String, sql: String) {
        self.slice = slice
        self.number = number
        self.name = name
        self.sql = sql
    }
}
