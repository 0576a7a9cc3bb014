import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What security group rules say, and which of them are the same.
struct RuleCheckTests {
    struct Words: Sendable, CustomTestStringConvertible {
        var family = IPAddress.Family.ipv4
        var direction = SecurityGroupRuleSpec.Direction.ingress
        var name: String?
        var low: Int?
        var high: Int?
        var prefix: String?

        var testDescription: String { "\(family) \(name ?? "any") \(low ?? -1)-\(high ?? -1) \(prefix ?? "anywhere")" }

        func draft(_ group: SecurityGroupID) -> RuleDraft {
            var draft = RuleDraft(project: TestCloud.project, group: group, direction: direction)
            draft.family = family
            draft.protocolText = name
            draft.portMin = low
            draft.portMax = high
            draft.remotePrefix = prefix
            return draft
        }
    }

    private func group(_ cloud: TestCloud) async throws -> SecurityGroupID {
        try await cloud.write {
            try $0.createGroup(SecurityGroupDraft(project: TestCloud.project, name: "web"), at: 1, in: $1)
        }
    }

    private func add(_ words: Words, to group: SecurityGroupID, _ cloud: TestCloud) async -> String {
        await cloud.refusal { try $0.createRule(words.draft(group), viewer: TestCloud.viewer, at: 2, in: $1) }
    }

    static let refused: [(Words, String)] = [
        (Words(low: 1, high: 2), "SecurityGroupProtocolRequiredWithPorts"),
        (Words(name: "tcp", low: 5, high: 2), "SecurityGroupInvalidPortRange"),
        (Words(name: "tcp", low: 5), "SecurityGroupInvalidPortRange"),
        (Words(name: "udp", high: 5), "SecurityGroupInvalidPortRange"),
        (Words(name: "tcp", low: 0, high: 2), "SecurityGroupInvalidPortValue"),
        (Words(name: "sctp", low: 1, high: 65_536), "SecurityGroupInvalidPortValue"),
        (Words(name: "nonsense"), "SecurityGroupRuleInvalidProtocol"),
        (Words(name: "256"), "SecurityGroupRuleInvalidProtocol"),
        (Words(name: "-2"), "SecurityGroupRuleInvalidProtocol"),
        (Words(name: "icmp", high: 2), "SecurityGroupMissingIcmpType"),
        (Words(name: "icmp", low: 256), "SecurityGroupInvalidIcmpValue"),
        (Words(name: "icmp", low: 8, high: 256), "SecurityGroupInvalidIcmpValue"),
        (Words(family: .ipv6, name: "58", low: -1), "SecurityGroupInvalidIcmpValue"),
        (Words(name: "gre", low: 1, high: 2), "SecurityGroupInvalidProtocolForPort"),
        (Words(name: "50", low: 1, high: 2), "SecurityGroupInvalidProtocolForPort"),
        (Words(family: .ipv6, prefix: "10.0.0.0/8"), "SecurityGroupRuleParameterConflict"),
        (Words(prefix: "2001:db8::/64"), "SecurityGroupRuleParameterConflict"),
        (Words(name: "ipv6-icmp"), "SecurityGroupEthertypeConflictWithProtocol"),
        (Words(name: "ipv6-route"), "SecurityGroupEthertypeConflictWithProtocol"),
        (Words(prefix: "10.0.0.0/33"), "HTTPBadRequest"), (Words(prefix: "everywhere"), "HTTPBadRequest")
    ]

    @Test("rules that make no sense are refused", arguments: refused.indices)
    func refuse(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let (words, type) = Self.refused[index]
        #expect(await add(words, to: try await group(cloud), cloud) == type, "\(words.testDescription)")
    }

    struct Meaning: Sendable {
        var number: Int?
        var low: Int?
        var high: Int?
        var prefix: String?
    }

    static let meanings: [(Words, Meaning)] = [
        (Words(), Meaning()), (Words(name: "any"), Meaning()), (Words(name: "-1"), Meaning()),
        (Words(name: ""), Meaning()), (Words(name: "TCP"), Meaning(number: 6)),
        (Words(name: "17"), Meaning(number: 17)),
        (Words(name: "tcp", low: 22, high: 22), Meaning(number: 6, low: 22, high: 22)),
        (Words(name: "tcp", low: 1, high: 65_535), Meaning(number: 6)),
        (Words(name: "udplite", low: 1, high: 65_535), Meaning(number: 136)),
        (Words(name: "icmp", low: 8, high: 0), Meaning(number: 1, low: 8, high: 0)),
        (Words(family: .ipv6, name: "icmp"), Meaning(number: 58)),
        (Words(family: .ipv6, name: "1"), Meaning(number: 58)),
        (Words(family: .ipv6, name: "icmpv6", low: 135), Meaning(number: 58, low: 135)),
        (Words(name: "vrrp"), Meaning(number: 112)), (Words(name: "255"), Meaning(number: 255)),
        (Words(prefix: "10.1.2.3/24"), Meaning(prefix: "10.1.2.0/24")),
        (Words(prefix: "10.1.2.3"), Meaning(prefix: "10.1.2.3/32")),
        (Words(family: .ipv6, prefix: "2001:db8::1"), Meaning(prefix: "2001:db8::1/128")),
        (Words(prefix: "0.0.0.0/0"), Meaning(prefix: "0.0.0.0/0"))
    ]

    @Test("a rule reaches hosts in numbers, whatever words it came in", arguments: meanings.indices)
    func meaning(_ index: Int) async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        let group = try await group(cloud)
        _ = try await cloud.reserve(server(1), .interfaces([], securityGroups: ["web"]))
        try await cloud.bind(server(1), to: TestCloud.node1)
        let (words, meaning) = Self.meanings[index]
        let (id, refusal) = await cloud.attempt {
            try $0.createRule(words.draft(group), viewer: TestCloud.viewer, at: 2, in: $1)
        }
        #expect(refusal == "")
        guard case .securityGroup(let spec) = try await cloud.spec(.securityGroup(group), on: TestCloud.node1) else {
            Issue.record("the node has no group")
            return
        }
        let rule = try #require(spec.rules.first { $0.id == id })
        #expect(rule.protocolNumber == meaning.number)
        #expect(rule.portRangeMin == meaning.low && rule.portRangeMax == meaning.high)
        #expect(rule.remote == meaning.prefix.flatMap { IPPrefix($0) }.map { .prefix($0) } ?? .anywhere)
        #expect(rule.family == words.family && rule.direction == words.direction)
    }

    /// Two rules, and whether the second is the first again.
    static let pairs: [(Words, Words, isSame: Bool)] = [
        (Words(name: "tcp"), Words(name: "6"), true), (Words(name: "tcp"), Words(name: "TCP"), true),
        (Words(name: "tcp"), Words(name: "udp"), false), (Words(), Words(name: "any"), true),
        (Words(), Words(prefix: "0.0.0.0/0"), true), (Words(), Words(family: .ipv6), false),
        (Words(), Words(family: .ipv6, prefix: "::/0"), false),
        (Words(prefix: "10.1.2.3"), Words(prefix: "10.1.2.3/32"), true),
        (Words(prefix: "10.1.0.0/16"), Words(prefix: "10.2.0.0/16"), false),
        (Words(name: "tcp", low: 1, high: 65_535), Words(name: "tcp"), true),
        (Words(name: "tcp", low: 22, high: 22), Words(name: "tcp", low: 22, high: 23), false),
        (Words(family: .ipv6, name: "icmp"), Words(family: .ipv6, name: "ipv6-icmp"), true),
        (Words(name: "tcp"), Words(direction: .egress, name: "tcp"), false)
    ]

    @Test("a group has each rule once, in whatever words", arguments: pairs.indices)
    func duplicates(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let group = try await group(cloud)
        let (first, second, isSame) = Self.pairs[index]
        #expect(await add(first, to: group, cloud) == "")
        #expect(
            await add(second, to: group, cloud) == (isSame ? "SecurityGroupRuleExists" : ""),
            "\(first.testDescription), \(second.testDescription)")
    }

    @Test("a rule names one remote, and only what its owner sees")
    func remotes() async throws {
        let cloud = try await TestCloud()
        let group = try await group(cloud)
        let foreign = try await cloud.write {
            try $0.createGroup(SecurityGroupDraft(project: TestCloud.otherProject, name: "x"), at: 1, in: $1)
        }
        func refusal(_ edit: @escaping @Sendable (inout RuleDraft) -> Void, isAdmin: Bool = false) async -> String {
            await cloud.refusal { service, transaction in
                var draft = Words().draft(group)
                edit(&draft)
                let viewer = Viewer(isAdmin: isAdmin, project: TestCloud.project)
                return try service.createRule(draft, viewer: viewer, at: 2, in: transaction)
            }
        }
        #expect(
            await refusal { ($0.remoteGroup, $0.remotePrefix) = (group, "10.0.0.0/8") }
                == "SecurityGroupMultipleRemoteEntites")
        #expect(await refusal { $0.remoteGroup = foreign } == "SecurityGroupNotFound")
        #expect(await refusal { $0.group = foreign } == "SecurityGroupNotFound")
        #expect(await refusal({ $0.remoteGroup = foreign }, isAdmin: true) == "")
        #expect(await refusal { $0.remoteGroup = group } == "")
    }
}
