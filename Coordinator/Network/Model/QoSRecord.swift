import ProtocolModel

/// How traffic is to be treated, as it is stored.
struct QoSPolicyRecord: Sendable, Hashable {
    var id: QoSPolicyID
    var project: ProjectID
    var standard: Standard
    /// What new networks of the project get that name none.
    var isDefault = false
    /// In order of creation.
    var rules: [QoSRuleRecord] = []
}

/// One thing that a policy says. There is at most one of each kind and direction.
package struct QoSRuleRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case bandwidthLimit = "bandwidth_limit"
        case dscpMarking = "dscp_marking"

        /// In the words of the API.
        var singular: String { "\(rawValue)_rule" }
        var plural: String { "\(rawValue)_rules" }
    }

    /// As the guest sees it.
    package enum Direction: String, Sendable, Hashable, CaseIterable {
        case ingress, egress
    }

    package var id: QoSRuleID
    var policy: QoSPolicyID
    var kind: Kind
    var direction: Direction = .egress
    /// 0 limits nothing, as Open vSwitch understands it.
    var maxKbps = 0
    /// Kilobits, whatever it is called; 0 for what is usual.
    var maxBurstKbps = 0
    var dscp = 0

    /// The code points that the API takes: class selectors, assured and expedited forwarding (RFC 2474, 2597, 3246).
    static let codePoints = [0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 46, 48, 56]

    /// What hosts are told of a limit.
    var rateLimit: PortSpec.RateLimit? {
        guard kind == .bandwidthLimit, maxKbps > 0 else { return nil }
        let bitsPerSecond = maxKbps * 1000
        // Four fifths of a second's worth, as Neutron has it: what TCP needs to come near the limit.
        let burstBits = maxBurstKbps > 0 ? maxBurstKbps * 1000 : bitsPerSecond / 5 * 4
        return PortSpec.RateLimit(bitsPerSecond: bitsPerSecond, burstBytes: burstBits / 8)
    }
}

extension PortSpec.Quality {
    /// What the rules of one policy come to.
    init(_ rules: [QoSRuleRecord]) {
        self.init()
        for rule in rules {
            switch (rule.kind, rule.direction) {
            case (.bandwidthLimit, .ingress): toGuest = rule.rateLimit
            case (.bandwidthLimit, .egress): fromGuest = rule.rateLimit
            case (.dscpMarking, _): dscp = rule.dscp
            }
        }
    }
}
