import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("DHCP options of ports over HTTP")
struct NetworkDHCPOptionTests {
    private let cloud: NetworkCloud

    init() async throws { cloud = try await NetworkCloud() }

    private static func option(_ name: String, _ value: JSON, _ version: JSON? = nil) -> JSON {
        var members: [String: JSON] = ["opt_name": JSON(name), "opt_value": value]
        members["ip_version"] = version
        return .object(members)
    }

    private func make(_ options: [JSON]) async throws -> Answer {
        let network = try await cloud.makeNetwork()
        return await cloud.harness.post(
            "/network/v2.0/ports", ["port": ["network_id": JSON(network), "extra_dhcp_opts": .array(options)]],
            as: .member)
    }

    private func change(_ port: JSON?, _ options: [JSON]) async -> Answer {
        await cloud.harness.put(
            "/network/v2.0/ports/\(port?["id"]?.stringValue ?? "")", ["port": ["extra_dhcp_opts": .array(options)]],
            as: .member)
    }

    @Test("options come, change and go one by one, each IP version's by itself")
    func life() async throws {
        let made = try await make([
            Self.option("bootfile-name", "linux 6/pxelinux.0"), Self.option("tftp-server", "2001:db8::1"),
            Self.option("bootfile-url", "http://[2001:db8::1]/x", 6), Self.option("210", "/boot/")
        ])
        #expect(made.status == 201)
        let port = made.json["port"]
        #expect(port?["extra_dhcp_opts"]?.arrayValue?.count == 4)
        let first: JSON = ["opt_name": "bootfile-name", "opt_value": "linux 6/pxelinux.0", "ip_version": 4]
        #expect(port?.item("extra_dhcp_opts") == first)
        let other = await change(
            port,
            [
                Self.option("bootfile-name", "other", "4"), Self.option("tftp-server", .null),
                Self.option("bootfile-url", .null, 6), Self.option("210", .null), Self.option("never-there", .null)
            ])
        let left: JSON = ["opt_name": "bootfile-name", "opt_value": "other", "ip_version": 4]
        #expect(other.status == 200 && other.json["port"]?["extra_dhcp_opts"] == [left], "\(other.json)")
        let same = await cloud.harness.put(
            "/network/v2.0/ports/\(port?["id"]?.stringValue ?? "")", ["port": ["name": "p"]], as: .member)
        #expect(same.json["port"]?["extra_dhcp_opts"] == [left])
    }

    static let refused: [JSON] = [
        option("bootfile-name", ""), option("bootfile-name", "a\nb"), option("bootfile-name", "a\u{0}b"),
        option("bootfile-name", "say \"x\""), option("bootfile-name", "a # b"), option("bootfile-name", "a\\nb"),
        option("bootfile-name", " a"), option("bootfile-name", "ä"),
        option("bootfile-name", JSON(String(repeating: "x", count: 256))), option("bootfile-name", 7),
        option(String(repeating: "n", count: 256), "x"), option("", "x"), option("no-such", "x"),
        option("router", "ten"), option("router", "10.0.0.1,"), option("mtu", "65536"), option("mtu", "-1"),
        option("classless-static-route", "10.0.0.0/8"), option("classless-static-route", "10.0.0.0,10.0.0.1"),
        option("53", "1"), option("255", "1"), option("tag:x,67", "y"), option("!175", "y"), option("option:mtu", "1"),
        option("bootfile-url", "x"), option("bootfile-name", "x", 6), option("bootfile-name", "x", 5),
        ["opt_name": "bootfile-name"], ["opt_value": "x"], ["opt_name": "mtu", "opt_value": "1", "more": 1], "x"
    ]

    @Test("what the server could not tell, or would take for something else, is refused", arguments: refused)
    func refusals(_ option: JSON) async throws {
        let answer = try await make([option])
        #expect(answer.status == 400, "\(option): \(answer.json)")
        let list = await cloud.harness.get("/network/v2.0/ports", as: .member)
        #expect(list.json["ports"] == [])
    }

    @Test("a port has so many and no more", arguments: [32, 33])
    func most(count: Int) async throws {
        let names = [
            "domain-name", "root-path", "extension-path", "nis-domain", "netbios-scope", "vendor-class", "nis+-domain",
            "tftp-server", "bootfile-name", "user-class", "posix-timezone", "tzdb-timezone", "domain-search"
        ]
        let all = names + (128...160).map { "\($0)" }
        let answer = try await make(all.prefix(count).map { Self.option($0, "x") })
        #expect(answer.status == (count > 32 ? 400 : 201), "\(answer.json)")
    }
}
