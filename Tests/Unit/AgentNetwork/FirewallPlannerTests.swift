import AgentCore
import AgentNetwork
import ProtocolModel
import Testing

@Suite("packet filter rules")
struct FirewallPlannerTests {
    private let port = Fixture.port()

    private func plan(
        _ change: (inout NetworkState) -> Void = { _ in }
    ) -> FirewallPlan {
        var state = NetworkState(
            networks: [Fixture.network().id: Fixture.network()], ports: [port.id: port],
            securityGroups: [Fixture.defaultGroup.id: Fixture.defaultGroup])
        change(&state)
        return FirewallPlanner.plan(state)
    }

    private func chain(_ name: String, _ family: FilterFamily, _ plan: FirewallPlan) -> [String]? {
        plan.tables[family]?.lazy.compactMap { $0.chains[name] }.first
    }

    @Test("the default group's rules for one IPv4 port")
    func defaultGroupIPv4() throws {
        let plan = plan()
        #expect(
            chain("skerry-fwd", .ipv4, plan) == [
                "-i brq0000001a-1a -m physdev --physdev-is-bridged -j sk-n0000001a-1a", "-i brq0000001a-1a -j DROP",
                "-o brq0000001a-1a -j DROP"
            ])
        #expect(chain("skerry-in", .ipv4, plan) == ["-i brq0000001a-1a -j DROP"])
        #expect(
            chain("sk-n0000001a-1a", .ipv4, plan) == [
                "-m physdev --physdev-in tap0000002b-2b -j sk-o0000002b-2b",
                "-m physdev --physdev-out tap0000002b-2b -j sk-i0000002b-2b", "-j ACCEPT"
            ])
        #expect(
            chain("sk-i0000002b-2b", .ipv4, plan) == [
                "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
                "-m physdev --physdev-in sdh0000001a-1a -j RETURN",
                "-m conntrack --ctstate INVALID -j DROP", "-m set --match-set sk4-0000003c-3c src -j RETURN", "-j DROP"
            ])
        #expect(
            chain("sk-o0000002b-2b", .ipv4, plan) == [
                "-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN",
                "-j sk-s0000002b-2b",
                "-p udp -m udp --sport 68 --dport 67 -j RETURN", "-p udp -m udp --sport 67 --dport 68 -j DROP",
                "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", "-m conntrack --ctstate INVALID -j DROP",
                "-j RETURN", "-j DROP"
            ])
        #expect(
            chain("sk-s0000002b-2b", .ipv4, plan) == [
                "-s 10.0.0.5/32 -m mac --mac-source fa:16:3e:00:00:2b -j RETURN", "-j DROP"
            ])
    }

    @Test("the default group's rules for one IPv6 port")
    func defaultGroupIPv6() throws {
        let plan = plan()
        let icmp = "-p ipv6-icmp -m icmp6 --icmpv6-type"
        #expect(
            chain("sk-i0000002b-2b", .ipv6, plan) == [
                "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
                "-m physdev --physdev-in sdh0000001a-1a -j RETURN",
                "\(icmp) 130 -j RETURN", "\(icmp) 135 -j RETURN", "\(icmp) 136 -j RETURN",
                "-m physdev ! --physdev-in tap+ \(icmp) 134 -j RETURN",
                "-m conntrack --ctstate INVALID -j DROP", "-m set --match-set sk6-0000003c-3c src -j RETURN", "-j DROP"
            ])
        #expect(
            chain("sk-o0000002b-2b", .ipv6, plan)?.prefix(5) == [
                "-s ::/128 -d ff02::/16 \(icmp) 131 -j RETURN", "-s ::/128 -d ff02::/16 \(icmp) 135 -j RETURN",
                "-s ::/128 -d ff02::/16 \(icmp) 143 -j RETURN", "\(icmp) 134 -j DROP", "-j sk-s0000002b-2b"
            ])
        #expect(
            chain("sk-s0000002b-2b", .ipv6, plan) == [
                "-s 2001:db8::2b/128 -m mac --mac-source fa:16:3e:00:00:2b -j RETURN",
                "-s fe80::f816:3eff:fe00:2b/128 -m mac --mac-source fa:16:3e:00:00:2b -j RETURN", "-j DROP"
            ])
    }

    @Test("a neighbour advertisement is let out only for an address that the port may send from")
    func neighbourTargets() throws {
        let plan = plan { state in
            state.ports[port.id]?.allowedPairs = [
                .init(prefix: Fixture.prefix("2001:db8:5::/40"), mac: nil),
                .init(prefix: Fixture.prefix("::/0"), mac: nil)
            ]
        }
        let rule = "-p ipv6-icmp -m icmp6 --icmpv6-type 136"
        let rules = try #require(chain("sk-o0000002b-2b", .ipv6, plan)).filter { $0.hasPrefix(rule) }
        #expect(
            rules.map { $0.dropFirst(rule.count + 1) } == [
                "-m u32 --u32 3&0xFF=58&&48=0x20010db8&&52=0x0&&56=0x0&&60=0x2b -j RETURN",
                "-m u32 --u32 3&0xFF=58&&48=0x20010db8&&52&0xff000000=0x0 -j RETURN",
                "-m u32 --u32 3&0xFF=58 -j RETURN",
                "-m u32 --u32 3&0xFF=58&&48=0xfe800000&&52=0x0&&56=0xf8163eff&&60=0xfe00002b -j RETURN", "-j DROP"
            ])
    }

    @Test("frames: the port's own MAC, and ARP only for its own addresses")
    func frames() {
        let plan = plan { state in
            state.ports[port.id]?.allowedPairs = [
                .init(prefix: Fixture.prefix("10.0.1.0/24"), mac: nil),
                .init(prefix: Fixture.prefix("10.0.0.99/32"), mac: Fixture.mac("00:00:5e:00:01:01"))
            ]
        }
        let (own, other) = ("fa:16:3e:00:00:2b", "00:00:5e:00:01:01")
        #expect(
            chain("skerry-l2", .frames, plan) == [
                "-i tap0000002b-2b -p 802_1Q -j DROP", "-i tap0000002b-2b -p 0x88A8 -j DROP",
                "-i tap0000002b-2b -p 0x9100 -j DROP", "-i tap0000002b-2b -j sk-l0000002b-2b"
            ])
        #expect(
            chain("sk-l0000002b-2b", .frames, plan) == [
                "-p ARP -s \(own) --arp-ip-src 10.0.0.5 --arp-mac-src \(own) -j RETURN",
                "-p ARP -s \(own) --arp-ip-src 10.0.1.0/24 --arp-mac-src \(own) -j RETURN",
                "-p ARP -s \(other) --arp-ip-src 10.0.0.99 --arp-mac-src \(other) -j RETURN",
                "-p ARP -s \(own) --arp-ip-src 0.0.0.0 --arp-mac-src \(own) -j RETURN",
                "-p ARP -s \(other) --arp-ip-src 0.0.0.0 --arp-mac-src \(other) -j RETURN", "-p ARP -j DROP",
                "-s \(own) -j RETURN", "-s \(other) -j RETURN", "-j DROP"
            ])
    }

    @Test(
        "each kind of rule in iptables' words",
        arguments: [
            (Fixture.rule(1, .ingress, protocolNumber: 6, 22, 22), "-p 6 -m multiport --dports 22 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 17, 1, 65535), "-p 17 -m multiport --dports 1:65535 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 132), "-p 132 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 1), "-p icmp -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 1, 8), "-p icmp -m icmp --icmp-type 8 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 1, 3, 4), "-p icmp -m icmp --icmp-type 3/4 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 47), "-p 47 -j RETURN"),
            (Fixture.rule(1, .ingress, protocolNumber: 0), "-j RETURN"),
            (
                Fixture.rule(1, .ingress, protocolNumber: 6, 80, 81, remote: .prefix(Fixture.prefix("192.0.2.0/24"))),
                "-s 192.0.2.0/24 -p 6 -m multiport --dports 80:81 -j RETURN"
            ),
            (Fixture.rule(1, .ingress, remote: .prefix(Fixture.prefix("0.0.0.0/0"))), "-j RETURN")
        ])
    func rules(rule: SecurityGroupRuleSpec, expected: String) {
        let plan = plan { $0.securityGroups[Fixture.defaultGroup.id]?.rules = [rule] }
        #expect(chain("sk-i0000002b-2b", .ipv4, plan)?.dropFirst(3).dropLast() == [expected])
    }

    @Test("a rule whose prefix is of the other family matches nothing")
    func mixedFamilies() {
        let rule = Fixture.rule(1, .ingress, remote: .prefix(Fixture.prefix("2001:db8::/32")))
        let plan = plan { $0.securityGroups[Fixture.defaultGroup.id]?.rules = [rule] }
        #expect(chain("sk-i0000002b-2b", .ipv4, plan)?.count == 4)
    }

    @Test("a port without port security has no chains, and one without groups lets nothing in")
    func securityOff() {
        let open = plan { $0.ports[port.id]?.isSecurityEnabled = false }
        #expect(chain("sk-n0000001a-1a", .ipv4, open) == ["-j ACCEPT"])
        // It may send what it wants, but on no other VLAN.
        #expect(open.tables[.frames]?.first?.chains.keys.sorted() == ["skerry-l2"] && open.sets == [])
        #expect(
            chain("skerry-l2", .frames, open)?.allSatisfy { $0.contains(" -p ") && $0.hasSuffix("-j DROP") } == true)
        let closed = plan { $0.ports[port.id]?.securityGroups = [] }
        #expect(chain("sk-i0000002b-2b", .ipv4, closed)?.last == "-j DROP")
        #expect(chain("sk-i0000002b-2b", .ipv4, closed)?.count == 4)
    }

    @Test("no networks, no rules; one without ports lets a router's frames pass, and nothing to the host")
    func nothing() {
        let nothing = plan { ($0.networks, $0.ports) = ([:], [:]) }
        #expect(nothing.tables.values.allSatisfy { $0.allSatisfy { $0.chains.isEmpty && $0.hooks.isEmpty } })
        let bare = plan { $0.ports = [:] }
        #expect(chain("sk-n0000001a-1a", .ipv4, bare) == ["-j ACCEPT"])
        #expect(chain("skerry-in", .ipv6, bare) == ["-i brq0000001a-1a -j DROP"])
    }

    @Test("only the plan's hosts may send what comes in tunnels")
    func tunnels() {
        let plan = plan { state in
            for id in state.networks.keys {
                state.networks[id]?.attachment = .vxlan(vni: 7)
                state.networks[id]?.remotePorts = ["192.0.2.9", "192.0.2.1", "192.0.2.9", "2001:db8::9"].map {
                    .init(mac: port.mac, addresses: [], tunnel: Fixture.address($0))
                }
            }
        }
        let drops = ["-p udp -m udp --dport 4789 -j DROP", "-i brq0000001a-1a -j DROP"]
        #expect(
            chain("skerry-in", .ipv4, plan) == [
                "-s 192.0.2.1/32 -p udp -m udp --dport 4789 -j RETURN",
                "-s 192.0.2.9/32 -p udp -m udp --dport 4789 -j RETURN"
            ] + drops)
        #expect(
            chain("skerry-in", .ipv6, plan) == ["-s 2001:db8::9/128 -p udp -m udp --dport 4789 -j RETURN"] + drops)
    }

    @Test("zones are distinct, in range, and do not move when networks come")
    func zones() {
        let ids: [NetworkID] = (1...300).map { NetworkID(high: $0 << 48, low: 0) } + [NetworkID(high: 7 << 48, low: 1)]
        let zones = FirewallPlanner.zones(ids)
        #expect(Set(zones.values).count == ids.count && zones.values.allSatisfy { (1...65535).contains($0) })
        #expect(FirewallPlanner.zones([ids[6]])[ids[6]] == zones[ids[6]])
        #expect(
            FirewallPlanner.zones([NetworkID(high: .max, low: .max)]).values.allSatisfy { (1...65535).contains($0) })
    }
}

@Suite("what restore is told")
struct RestoreScriptTests {
    private let desired = RuleTable(
        name: "filter", hooks: [.init(chain: "FORWARD", target: "skerry-fwd")],
        chains: ["skerry-fwd": ["-j sk-i0000002b-2b"], "sk-i0000002b-2b": ["-s 10.0.0.1/32 -j DROP"]])

    /// As `iptables-save` of a host on which `desired` is in force, with another's rules around it.
    private let saved = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :DOCKER - [0:0]
        :sk-i0000002b-2b - [0:0]
        :skerry-fwd - [0:0]
        -A FORWARD -j skerry-fwd
        -A FORWARD -j DOCKER
        -A sk-i0000002b-2b -m comment --comment "skerry:1c78a5e0b8b9dfe4"
        -A sk-i0000002b-2b -s 10.0.0.1/32 -j DROP
        -A skerry-fwd -m comment --comment "skerry:FWD"
        -A skerry-fwd -j sk-i0000002b-2b
        COMMIT
        """

    @Test("onto nothing: everything, in one commit")
    func fresh() throws {
        let script = try #require(RestoreScript.make(family: .ipv4, desired: [desired], saved: SavedRules()))
        let lines = script.split(separator: "\n")
        #expect(lines.first == "*filter" && lines.last == "COMMIT")
        #expect(lines[1] == ":sk-i0000002b-2b - [0:0]" && lines[2] == ":skerry-fwd - [0:0]")
        #expect(lines.contains("-I FORWARD 1 -j skerry-fwd"))
        #expect(lines.filter { $0.hasPrefix("-A sk-i") }.count == 2)
    }

    @Test("what is as wanted is left alone, and a changed chain is written without the others")
    func changes() throws {
        let script = try #require(RestoreScript.make(family: .ipv4, desired: [desired], saved: SavedRules()))
        let settled = SavedRules(parsing: script.replacing("-I FORWARD 1", with: "-A FORWARD"))
        #expect(RestoreScript.make(family: .ipv4, desired: [desired], saved: settled) == nil)
        var changed = desired
        changed.chains["sk-i0000002b-2b"] = ["-s 10.0.0.2/32 -j DROP"]
        let second = try #require(RestoreScript.make(family: .ipv4, desired: [changed], saved: settled))
        #expect(!second.contains("skerry-fwd") && second.contains("10.0.0.2"))
    }

    @Test("all of ours goes, and nothing of others")
    func removal() {
        let script = RestoreScript.make(
            family: .ipv4, desired: [RuleTable(name: "filter")], saved: SavedRules(parsing: saved))
        #expect(
            script == """
                *filter
                :sk-i0000002b-2b - [0:0]
                :skerry-fwd - [0:0]
                -D FORWARD -j skerry-fwd
                -X sk-i0000002b-2b
                -X skerry-fwd
                COMMIT

                """)
    }

    @Test("a rule that somebody took out of a chain is put back, and a second jump goes")
    func drift() throws {
        let script = try #require(RestoreScript.make(family: .ipv4, desired: [desired], saved: SavedRules()))
        let text = script.replacing("-I FORWARD 1", with: "-A FORWARD").replacing(
            "-A sk-i0000002b-2b -s 10.0.0.1/32 -j DROP\n", with: "")
        let repair = try #require(
            RestoreScript.make(family: .ipv4, desired: [desired], saved: SavedRules(parsing: text)))
        #expect(repair.contains("-s 10.0.0.1/32") && !repair.contains("skerry-fwd"))
        let twice = script.replacing("-I FORWARD 1", with: "-A FORWARD") + "*filter\n-A FORWARD -j skerry-fwd\nCOMMIT\n"
        let single = try #require(
            RestoreScript.make(family: .ipv4, desired: [desired], saved: SavedRules(parsing: twice)))
        #expect(single == "*filter\n-D FORWARD -j skerry-fwd\nCOMMIT\n")
    }

    @Test("frames carry no comments: what this process did not write itself is written again")
    func frames() {
        let saved = SavedRules(parsing: "*nat\n:skerry-l2 RETURN\n-A PREROUTING -j skerry-l2\n-A skerry-l2 -j DROP\n")
        let table = RuleTable(
            name: "nat", hooks: [.init(chain: "PREROUTING", target: "skerry-l2")], chains: ["skerry-l2": ["-j DROP"]])
        #expect(RestoreScript.make(family: .frames, desired: [table], saved: saved) != nil)
        #expect(RestoreScript.make(family: .frames, desired: [table], saved: saved, trusted: [table]) == nil)
    }

    @Test(
        "a rule of an address group is one of a set with the addresses that the group carries; all addresses are two halves"
    )
    func addressGroups() {
        let addresses = AddressGroupID(high: 0x77, low: 0x77)
        var group = Fixture.defaultGroup
        let remote: SecurityGroupRuleSpec.Remote = .group(addresses.cast())
        group.rules = [Fixture.rule(1, .ingress, remote: remote), Fixture.rule(2, .ingress, .ipv6, remote: remote)]
        group.addressGroups = [
            .init(
                id: addresses,
                prefixes: ["0.0.0.0/0", "10.8.0.0/16", "192.0.2.7/32", "2001:db8::/64"].map(Fixture.prefix))
        ]
        let (network, port) = (Fixture.network(), Fixture.port())
        let plan = FirewallPlanner.plan(
            NetworkState(
                networks: [network.id: network], ports: [port.id: port], securityGroups: [group.id: group]))
        #expect(plan.sets.map(\.name) == ["sk4-\(addresses.short)", "sk6-\(addresses.short)"])
        let lines = AddressSet.additions(desired: plan.sets, saved: [:])?.split(separator: "\n") ?? []
        #expect(
            lines.filter { $0.hasPrefix("add sk4") }.map { $0.split(separator: " ")[2] } == [
                "0.0.0.0/1", "10.8.0.0/16", "128.0.0.0/1", "192.0.2.7"
            ])
        #expect(lines.filter { $0.hasPrefix("add sk6") }.map { $0.split(separator: " ")[2] } == ["2001:db8::/64"])
        let rules = plan.tables[.ipv4]?.first { $0.name == "filter" }?.chains["sk-i\(port.id.short)"] ?? []
        #expect(rules.contains("-m set --match-set sk4-\(addresses.short) src -j RETURN"))
    }

    @Test("sets: only members that come and go")
    func sets() {
        let set = AddressSet(
            name: "sk4-0000003c-3c", family: .ipv4,
            members: [Fixture.prefix("10.0.0.1/32"), Fixture.prefix("10.0.0.2/32")])
        let saved = AddressSet.parse(
            saved: """
                create theirs hash:ip family inet hashsize 1024 maxelem 65536
                add theirs 10.0.0.9
                create sk4-0000003c-3c hash:net family inet hashsize 1024 maxelem 131072
                add sk4-0000003c-3c 10.0.0.2
                add sk4-0000003c-3c 10.0.0.3
                create sk6-0000003c-3c hash:net family inet6 hashsize 1024 maxelem 131072
                """)
        #expect(
            AddressSet.additions(desired: [set], saved: saved)
                == "del sk4-0000003c-3c 10.0.0.3 -exist\nadd sk4-0000003c-3c 10.0.0.1 -exist\n")
        #expect(AddressSet.removals(desired: [set], saved: saved) == "destroy sk6-0000003c-3c\n")
        #expect(
            AddressSet.additions(desired: [set], saved: [:])?.hasPrefix(
                "create sk4-0000003c-3c hash:net family inet maxelem 131072 -exist\n") == true)
    }
}
