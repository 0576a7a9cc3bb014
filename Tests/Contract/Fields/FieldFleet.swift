extension FieldTable {
    /// See ``FieldLine``.
    static let fleet = """
        POST /skerry/v1/tokens lifetime_seconds test:JoinTokenTests.expiry
        POST /skerry/v1/tokens uses shown
        """
}
