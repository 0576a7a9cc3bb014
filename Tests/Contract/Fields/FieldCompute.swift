extension FieldTable {
    /// See ``FieldLine``.
    static let compute = """

        """
}
