import CoordinatorPlatform
import HTTPTypes
import Testing

/// That every call of every service is decided by a rule that operators know by name. What routes say of themselves is
/// held against what they ask by ``PolicyCoverage``, in every contract test.
@Suite("every call has its rule")
struct PolicyCoverageTests {
    @Test("every route names its rules, or says why it has none")
    func routes() async throws {
        let cloud = try await PolicyCloud()
        for service in cloud.services {
            for route in service.routes {
                guard case .authenticated = route.access else { continue }
                let name = "\(route.method.rawValue) \(service.prefix)\(route.path)"
                switch route.guarding {
                case nil: Issue.record("\(name) names no rule")
                case .nothing(let reason)?: #expect(reason.count >= 10, "\(name) needs a reason")
                case .rules(let rules)?:
                    for rule in rules where cloud.policies.defaults[rule] == nil {
                        Issue.record("\(name) names '\(rule)', which no policy has")
                    }
                }
            }
        }
    }

    @Test("every change has a word in the event log")
    func actions() async throws {
        for service in try await PolicyCloud().services {
            for route in service.routes where ![.get, .head].contains(route.method) {
                let words = route.action.split(separator: ".", omittingEmptySubsequences: false)
                #expect(
                    words.count >= 2 && !words.contains(""),
                    "\(route.method.rawValue) \(service.prefix)\(route.path): '\(route.action)'")
            }
        }
    }

    @Test("every rule is asked by a route, as such or as a part of one that is")
    func rules() async throws {
        let cloud = try await PolicyCloud()
        var asked: Set<String> = []
        for route in cloud.services.flatMap(\.routes) {
            if case .rules(let rules)? = route.guarding { asked.formUnion(rules) }
        }
        for service in cloud.services {
            for rule in service.policy.rules.keys.sorted() where Policy.baseRules[rule] == nil {
                #expect(
                    asked.contains(rule) || asked.contains { rule.hasPrefix($0 + ":") }, "\(rule) decides nothing")
            }
        }
    }

    @Test("every default can be read, calls only rules there are, and is the only one of its name")
    func defaults() async throws {
        let cloud = try await PolicyCloud()
        for service in cloud.services { #expect(service.policy.problems == [], "\(service.prefix)") }
        #expect(cloud.policies.conflicts == [])
        for (name, rule) in cloud.policies.defaults {
            #expect(try PolicyParser.parse(rule.expression.description) == rule.expression, "\(name)")
        }
    }

    /// What the personas may do, over all rules: each level may what the one before may.
    @Test("a manager may what a member may, a member what a reader may, and the administrator everything")
    func personas() async throws {
        let cloud = try await PolicyCloud()
        let policy = cloud.policies.policy
        let target = Policy.Target(project: TestCaller.project)
        for (name, rule) in cloud.policies.defaults where rule != .nobody {
            let verdicts = [TestCaller.reader, .member, .manager, .admin].map {
                policy.allows(name, $0.caller, target)
            }
            #expect(zip(verdicts, verdicts.dropFirst()).allSatisfy { !$0 || $1 }, "\(name): \(verdicts)")
        }
    }
}

@Suite("the operator's policy over HTTP")
struct PolicyOperatorTests {
    @Test("a rule that the file closes is refused with its name, and works again without the file")
    func override() async throws {
        let cloud = try await PolicyCloud()
        #expect(await cloud.harness.get("/network/v2.0/networks", as: .reader).status == 200)
        try cloud.policies.apply(
            [.init(name: "get_network", text: "rule:admin_required", line: 3)], file: "/etc/policy.yaml", now: 5)
        let refused = await cloud.harness.get("/network/v2.0/networks", as: .reader)
        #expect(refused.status == 403)
        #expect(refused.json["NeutronError"]?["message"] == "rule:get_network is disallowed by policy")
        #expect(await cloud.harness.get("/network/v2.0/networks", as: .admin).status == 200)
        try cloud.policies.apply([], file: nil, now: 6)
        #expect(await cloud.harness.get("/network/v2.0/networks", as: .reader).status == 200)
    }

    @Test("the operator sees the rules, where each comes from and what it decides")
    func shows() async throws {
        let cloud = try await PolicyCloud()
        try cloud.policies.apply(
            [.init(name: "get_network", text: "role:auditor", line: 3)], file: "/etc/policy.yaml", now: 1_000_000)
        #expect(throws: PolicyFileError.self) {
            try cloud.policies.apply([.init(name: "get_netwrk", text: "@", line: 1)], file: "/etc/policy.yaml", now: 2)
        }
        let answer = await cloud.harness.get("/skerry/v1/policy").json
        #expect(answer["file"] == "/etc/policy.yaml" && answer["since"] == "1970-01-01T00:00:01.000000Z")
        #expect(answer["refusals"] == 1)
        #expect(answer["problems"] == ["line 1: 'get_netwrk' is no rule; did you mean 'get_network'."])
        let rule = answer["rules"]?.arrayValue?.first { $0["name"] == "get_network" }
        #expect(rule?["default"] == "rule:admin_required or rule:project_reader")
        #expect(rule?["override"] == "role:auditor" && rule?["line"] == 3)
        // Compute's old calls ask it as well.
        let operations = rule?["operations"]?.arrayValue ?? []
        #expect(operations.prefix(2) == ["GET /network/v2.0/networks", "GET /network/v2.0/networks/{id}"])
        #expect(operations.dropFirst(2).allSatisfy { $0.stringValue?.contains(" /compute/v2.1/") == true })
        #expect(await cloud.harness.get("/skerry/v1/policy", as: .manager).status == 403)
    }
}

@Suite("the audit trail over HTTP")
struct AuditContractTests {
    private func events(_ cloud: PolicyCloud, _ query: String = "") async -> [JSON] {
        await cloud.harness.get("/skerry/v1/audit\(query)").json["events"]?.arrayValue ?? []
    }

    @Test("changes, refused changes and failed log-ins are events")
    func story() async throws {
        let cloud = try await PolicyCloud()
        let made = await cloud.harness.post(
            "/network/v2.0/networks", ["network": ["name": "n"]], as: .member)
        let id = made.json["network"]?["id"]?.stringValue ?? ""
        _ = await cloud.harness.delete("/network/v2.0/networks/\(id)", as: .reader)
        for _ in 0..<5 {
            _ = await cloud.harness.post(
                "/identity/v3/auth/tokens", IdentityCloud.login("nobody", "guess", scope: nil), as: nil)
        }
        await cloud.harness.pipeline.refusals.flush()
        let events = await events(cloud)
        try #require(events.count == 4)
        #expect(events[0]["action"] == "create" && events[0]["outcome"] == "success")
        #expect(events[0]["target"] == ["typeURI": "network/network", "id": .string(id)])
        #expect(events[0]["initiator"]?["id"]?.stringValue == TestCaller.member.caller.user.compact)
        #expect(events[1]["action"] == "delete" && events[1]["outcome"] == "failure")
        #expect(events[1]["reason"]?["reasonCode"] == "403" && events[1]["reason"]?["policyId"] == "delete_network")
        #expect(events[2]["action"] == "authenticate" && events[2]["reason"]?["reasonCode"] == "401")
        #expect(events[2]["initiator"]?["host"]?["address"] == "127.0.0.1")
        #expect(events[3]["measurements"]?.arrayValue?.first?["result"] == 4)
    }

    @Test("pages follow each other without gap or repetition")
    func pages() async throws {
        let cloud = try await PolicyCloud()
        for number in 0..<7 {
            cloud.harness.clock.advance(by: .seconds(60))
            _ = await cloud.harness.post(
                "/network/v2.0/networks", ["network": ["name": .string("n\(number)")]], as: .member)
        }
        var seen: [JSON] = []
        var place = "after=0"
        while true {
            let page = await cloud.harness.get("/skerry/v1/audit?\(place)&limit=3").json
            let events = page["events"]?.arrayValue ?? []
            guard !events.isEmpty else { break }
            seen += events
            place = "after=\(page["next"]?.intValue ?? 0)"
        }
        #expect(seen.count == 7 && Set(seen.compactMap { $0["id"]?.stringValue }).count == 7)
        #expect(await events(cloud, "?since=2026-01-01T00:05:00Z").count == 3)
        #expect(await events(cloud, "?after=newest").isEmpty)
    }

    @Test(
        "questions that make no sense are refused",
        arguments: ["limit=0", "limit=1001", "limit=x", "after=-1", "after=x", "since=yesterday"])
    func refusals(query: String) async throws {
        let cloud = try await PolicyCloud()
        #expect(await cloud.harness.get("/skerry/v1/audit?\(query)").status == 400)
    }

    @Test("administrators only")
    func personas() async throws {
        let cloud = try await PolicyCloud()
        #expect(await cloud.harness.get("/skerry/v1/audit", as: .manager).status == 403)
        #expect(await cloud.harness.get("/skerry/v1/audit", as: nil).status == 401)
    }
}
