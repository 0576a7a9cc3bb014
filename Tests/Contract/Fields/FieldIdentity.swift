extension FieldTable {
    /// See ``FieldLine``.
    static let identity = """

        """
}
