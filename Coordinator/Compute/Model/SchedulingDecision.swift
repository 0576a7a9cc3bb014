/// Why a host was chosen, or none.
struct SchedulingDecision: Sendable, Hashable {
    struct Verdict: Sendable, Hashable {
        var hostname: String
        var isKept: Bool
        var reason: String
    }

    var decidedAt: Int64
    var host: String?
    var summary: String
    var verdicts: [Verdict]
}
