extension FieldTable {
    /// See ``FieldLine``.
    static let image = """

        """
}
