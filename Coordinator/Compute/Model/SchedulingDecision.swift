import CoordinatorPlacement

/// Why a host was chosen, or none.
struct SchedulingDecision: Sendable, Hashable {
    var decidedAt: Int64
    var host: String?
    var summary: String
    /// Hosts by reason, the suitable ones first.
    var groups: [PlacementDecision.Group]
}
