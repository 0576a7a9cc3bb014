extension FieldTable {
    /// See ``FieldLine``.
    static let fleet = """

        """
}
