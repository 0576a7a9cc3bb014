extension FieldTable {
    /// See ``FieldLine``.
    static let placement = """

        """
}
