/// What the plan of a node may hold, so that all of it can be delivered.
public enum PlanBudget {
    /// Bytes of one entry on the wire. A frame has room for one of these, and what surrounds it.
    public static let entryBytes = 1_048_576
    /// Bytes of a whole plan: what an agent takes in one update.
    public static let planBytes = 64 * 1_048_576
}
