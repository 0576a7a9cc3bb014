extension FieldTable {
    /// See ``FieldLine``.
    static let identityDelegation = """

        """
}
