import CoordinatorPlatform
import HTTPTypes
import Testing

/// Holds what a route says of its rules against the rules that were asked, at every answer of every contract test: a
/// rule that is only declared, or asked in secret, is found by whatever test first sees the route succeed.
enum PolicyCoverage {
    /// Calls that are a POST and may change nothing: a console's text, the check of a signature.
    private static let readers: Set<String> = [
        "compute.server.action", "volume.volume.action", "identity.ec2_authenticate", "identity.s3_authenticate"
    ]

    @Sendable static func check(_ service: ServiceAPI, _ route: Route, status: Int, trace: PolicyTrace) {
        let asked = trace.rules
        guard (200..<300).contains(status), case .authenticated = route.access else { return }
        let name = "\(route.method.rawValue) \(service.prefix)\(route.path)"
        let isChange = ![.get, .head].contains(route.method) && !readers.contains(route.action)
        if isChange, trace.eventCount == 0 {
            Issue.record("\(name) succeeded without a line in the event log")
        }
        switch route.guarding {
        case nil: break  // The list of all routes is a test of its own.
        case .nothing?:
            if let rule = asked.first { Issue.record("\(name) says that it asks no rule, but asked '\(rule)'") }
        case .rules(let rules)?:
            if Set(rules).isDisjoint(with: asked) {
                Issue.record("\(name) succeeded without asking any of \(rules)")
            }
            for rule in asked where !rules.contains(where: { rule == $0 || rule.hasPrefix($0 + ":") }) {
                Issue.record("\(name) asked '\(rule)', which it does not name")
            }
        }
    }
}
