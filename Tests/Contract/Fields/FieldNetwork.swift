extension FieldTable {
    /// See ``FieldLine``.
    static let network = """

        """
}
