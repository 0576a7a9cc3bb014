import CoordinatorPlatform
import HTTPTypes
import Testing

/// Every request has a budget: whatever a tenant puts into whichever member, it keeps the one writer, for which all other
/// changes wait, no longer than a known number of steps.
@Suite("maximal values")
struct MaximalTests {
    /// Steps and bytes of one request inside the writer.
    private static let mostStatements = 6_000
    private static let mostBytes = 2 << 20
    /// The aim is 250 ms of a release build. Here it is the thread's own time in a debug build, and ten times that is a
    /// loop without a bound rather than a slow machine.
    private static let mostMicroseconds: Int64 = 2_500_000

    @Test("no member of a body costs others their turn", arguments: ["/network/", "/compute/", "/image/"])
    func members(prefix: String) async throws {
        let counter = CountingDatabase.Holder()
        let scene = try await CountingDatabase.$counter.withValue(counter) { try await TwoTenantScene() }
        await lift(scene)
        var worst: (name: String, cost: WriterCost) = ("nothing", WriterCost())
        var tried = 0
        var taken = 0
        for line in lines(scene, prefix) {
            for field in await fields(of: line, scene).sorted() {
                for (shape, values) in MaximalValues.candidates(for: field, scene) {
                    for value in values {
                        tried += 1
                        guard let cost = await cost(of: value, at: field, line, scene, counter) else { continue }
                        taken += 1
                        let name = "\(line.route) \(field) \(shape)"
                        #expect(cost.statements <= Self.mostStatements, "\(name): \(cost)")
                        #expect(cost.bytes <= Self.mostBytes, "\(name): \(cost)")
                        #expect(cost.microseconds <= Self.mostMicroseconds, "\(name): \(cost)")
                        if cost.microseconds > worst.cost.microseconds { worst = (name, cost) }
                        break
                    }
                }
            }
        }
        #expect(taken > 10, "hardly anything was taken")
        print("maximal values of \(prefix): \(tried) tried, \(taken) taken, worst \(worst.name): \(worst.cost)")
    }

    /// The routes with bodies, each about something of the caller's own.
    private func lines(_ scene: TwoTenantScene, _ prefix: String) -> [TwoTenantLine] {
        scene.cloud.services.filter { "\($0.prefix)/".hasPrefix(prefix) }.flatMap { service in
            service.routes.compactMap { route in
                guard [.post, .put, .patch].contains(route.method), case .authenticated = route.access else {
                    return nil
                }
                let name = "\(route.method.rawValue) \(service.prefix)\(route.path)"
                guard !TwoTenantTable.closed.contains(where: name.contains) else { return nil }
                return TwoTenantLine("\(name) - text"[...])
            }
        }
    }

    /// What the route's schemas take, by a request that is right.
    private func fields(of line: TwoTenantLine, _ scene: TwoTenantScene) async -> Set<String> {
        let trace = BodyTrace()
        await BodyTrace.$current.withValue(trace) {
            _ = await scene.send(line, body: TwoTenantBodies.body(line.route, scene))
        }
        return trace.fields
    }

    /// - Returns: `nil` where the value is refused.
    private func cost(
        of value: JSON, at field: String, _ line: TwoTenantLine, _ scene: TwoTenantScene,
        _ counter: CountingDatabase.Holder
    ) async -> WriterCost? {
        let body = TwoTenantBodies.body(line.route, scene) ?? .object([:])
        var path = field.split(separator: ".").map(String.init)
        // A resource stands below its name, which its schema does not see.
        if let members = body.objectValue, members.count == 1, let name = members.keys.first, path.first != name {
            path.insert(name, at: 0)
        }
        guard !body.text.isEmpty, let full = Self.set(value, at: path[...], in: body) else { return nil }
        _ = counter.take()
        let answer = await scene.send(line, body: full)
        #expect(answer.status != 500, "\(line.route) \(field): \(answer.json.text.prefix(200))")
        let cost = counter.take()
        guard (200..<300).contains(answer.status) else { return nil }
        await remove(answer, line, scene)
        return cost
    }

    /// What was made goes, so that quotas are never what refuses the next one.
    private func remove(_ answer: Answer, _ line: TwoTenantLine, _ scene: TwoTenantScene) async {
        guard line.method == .post, !line.path.contains("{") else { return }
        let members = answer.json.objectValue ?? [:]
        let id = answer.json["id"]?.stringValue ?? members.values.compactMap { $0["id"]?.stringValue }.first
        guard let id else { return }
        _ = await scene.cloud.harness.delete("\(line.path)/\(id)", as: .stranger, TwoTenantScene.versions)
    }

    private func lift(_ scene: TwoTenantScene) async {
        let own = TestCaller.otherProject.compact
        let network: [String: JSON] = [
            "network": -1, "subnet": -1, "port": -1, "router": -1, "floatingip": -1, "security_group": -1,
            "security_group_rule": -1
        ]
        _ = await scene.cloud.harness.put("/network/v2.0/quotas/\(own)", ["quota": .object(network)])
        _ = await scene.cloud.harness.put(
            "/compute/v2.1/os-quota-sets/\(own)",
            ["quota_set": ["instances": -1, "cores": -1, "ram": -1, "metadata_items": -1]], as: .admin)
    }

    /// - Returns: `nil` where something on the way is no object.
    private static func set(_ value: JSON, at path: ArraySlice<String>, in json: JSON) -> JSON? {
        guard let key = path.first else { return value }
        switch json {
        case .object(var members):
            guard let inner = set(value, at: path.dropFirst(), in: members[key] ?? .object([:])) else { return nil }
            members[key] = inner
            return .object(members)
        case .array(let items):
            guard let first = items.first, let inner = set(value, at: path, in: first) else { return nil }
            return .array([inner] + items.dropFirst())
        default: return nil
        }
    }
}
