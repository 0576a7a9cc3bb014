import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: lists of servers")
struct ComputeListTests {
    private func names(_ cloud: ComputeCloud, _ query: String, as caller: TestCaller = .member, minor: Int = 1) async
        -> [String]
    {
        let answer = await cloud.harness.get(
            "/compute/v2.1/servers/detail?\(query)", as: caller, ComputeCloud.version(minor))
        return answer.json["servers"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? ["\(answer.status)"]
    }

    @Test(
        "filters",
        arguments: [
            ("", ["gamma", "beta", "alpha"]), ("name=a$", ["gamma", "beta", "alpha"]), ("name=^b", ["beta"]),
            ("name=BETA", ["beta"]), ("status=SHUTOFF", ["beta"]), ("status=active", ["alpha"]),
            ("status=BUILD", ["gamma"]),
            ("status=active&status=build", ["gamma", "alpha"]), ("flavor=1", ["gamma", "beta", "alpha"]),
            ("flavor=2", []), ("image=66666666-6666-4666-8666-666666666666&limit=1", ["gamma"]), ("image=nope", []),
            ("ip=10.0.0.4", ["beta"]), ("status=nonsense", []), ("host=host-a", ["gamma", "beta", "alpha"]),
            ("sort_key=display_name&sort_dir=asc", ["alpha", "beta", "gamma"]), ("limit=2", ["gamma", "beta"]),
            ("changes-since=2020-01-01T00:00:00Z", ["gamma", "beta", "alpha"]),
            ("changes-since=2030-01-01T00:00:00Z", []), ("limit=0", []), ("all_tenants=0", ["gamma", "beta", "alpha"])
        ])
    func filters(query: String, expected: [String]) async throws {
        let cloud = try await Self.three()
        #expect(await names(cloud, query) == expected)
    }

    @Test(
        "queries that are not right",
        arguments: [
            ("limit=-1", 1), ("limit=x", 1), ("marker=99999999-9999-4999-8999-999999999999", 1), ("name=(", 1),
            ("changes-since=yesterday", 1), ("status=nonsense", 38), ("bogus=1", 75), ("sort_key=bogus", 1),
            ("sort_dir=up", 1)
        ])
    func badQueries(query: String, minor: Int) async throws {
        let cloud = try await Self.three()
        let answer = await cloud.harness.get(
            "/compute/v2.1/servers?\(query)", as: .member, ComputeCloud.version(minor))
        #expect(answer.status == 400)
    }

    @Test("pages link on to the next and end")
    func pages() async throws {
        let cloud = try await Self.three()
        var path = "/compute/v2.1/servers?limit=2&sort_key=display_name&sort_dir=asc"
        var seen: [String] = []
        for _ in 0..<3 {
            let answer = await cloud.harness.get(path, as: .member)
            seen += answer.json["servers"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
            guard let next = answer.json["servers_links"]?.arrayValue?.first?["href"]?.stringValue else { break }
            #expect(next.hasPrefix("https://cloud.test:8700/compute/v2.1/servers?limit=2&marker="))
            path = String(next.dropFirst("https://cloud.test:8700".count))
        }
        #expect(seen == ["alpha", "beta", "gamma"])
    }

    @Test("a list shows at once what changed")
    func freshness() async throws {
        let cloud = try await Self.three()
        func first() async -> JSON {
            await cloud.harness.get("/compute/v2.1/servers/detail?limit=1", as: .member).json["servers"]?.arrayValue?
                .first ?? .null
        }
        let server = await first()
        #expect(await first() == server)
        let id = try #require(server["id"]?.stringValue.flatMap { ServerID($0) })
        try await cloud.report(id, .ready, power: .running)
        #expect(await first()["status"] == "ACTIVE")
        _ = await cloud.harness.put("/network/v2.0/networks/\(cloud.network)", ["network": ["name": "renamed"]])
        #expect(await first()["addresses"]?["renamed"] != nil)
        _ = await cloud.harness.put("/compute/v2.1/servers/\(id)", ["server": ["name": "delta"]], as: .member)
        #expect(await first()["name"] == "delta")
        let base = ["Host": "other"]
        #expect(await cloud.harness.get("/compute/v2.1/servers/detail", as: .member, base).status == 200)
    }

    @Test("tags select")
    func tags() async throws {
        let cloud = try await ComputeCloud()
        for (name, tags) in [("a", ["x", "y"]), ("b", ["y"]), ("c", [])] as [(String, [JSON])] {
            let made = await cloud.create(
                ["name": .string(name), "tags": .array(tags), "networks": "none"], minor: 52)
            #expect(made.status == 202)
            cloud.harness.clock.advance(by: .seconds(1))
        }
        for (query, expected) in [
            ("tags=x,y", ["a"]), ("tags-any=x,y", ["b", "a"]), ("not-tags=x,y", ["c", "b"]),
            ("not-tags-any=x", ["c", "b"])
        ] {
            #expect(await names(cloud, query, minor: 26) == expected, "\(query)")
        }
    }

    @Test("administrators see the deleted")
    func deleted() async throws {
        let cloud = try await Self.three()
        let list = await cloud.harness.get("/compute/v2.1/servers?name=beta", as: .member)
        let id = try #require(
            list.json["servers"]?.arrayValue?.first?["id"]?.stringValue.flatMap { ServerID($0) })
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member)
        try await cloud.report(id, .gone)
        #expect(await names(cloud, "") == ["gamma", "alpha"])
        #expect(await names(cloud, "deleted=true") == ["gamma", "alpha"])
        #expect(await names(cloud, "deleted=true", as: .admin) == ["beta"])
        #expect(await names(cloud, "changes-since=2020-01-01T00:00:00Z") == ["gamma", "beta", "alpha"])
        #expect(await names(cloud, "status=deleted") == ["403"])
    }

    /// Three servers, the newest first in lists: gamma building, beta stopped, alpha running.
    private static func three() async throws -> ComputeCloud {
        let cloud = try await ComputeCloud()
        for (name, power) in [("alpha", ServerDetails.PowerState.running), ("beta", .shutdown), ("gamma", .none)] {
            let id = try ComputeCloud.id(await cloud.create(["name": .string(name)]))
            if power != .none { try await cloud.report(id, .ready, power: .running) }
            if power == .shutdown { try await cloud.report(id, .ready, power: .shutdown) }
            cloud.harness.clock.advance(by: .seconds(1))
        }
        return cloud
    }
}
