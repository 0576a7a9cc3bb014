import CoordinatorCompute
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: interfaces of servers that are there")
struct ComputeInterfaceTests {
    private static func path(_ id: ServerID, _ port: String = "") -> String {
        "/compute/v2.1/servers/\(id)/os-interface" + (port.isEmpty ? "" : "/\(port)")
    }

    private static func attach(
        _ cloud: ComputeCloud, _ id: ServerID, _ members: [String: JSON], minor: Int = 1
    ) async -> Answer {
        await cloud.harness.post(
            path(id), ["interfaceAttachment": .object(members)], as: .member, ComputeCloud.version(minor))
    }

    private static func interfaces(_ cloud: ComputeCloud, _ id: ServerID, minor: Int = 70) async -> [JSON] {
        await cloud.harness.get(path(id), as: .member, ComputeCloud.version(minor)).json["interfaceAttachments"]?
            .arrayValue ?? []
    }

    /// A port of the member's own.
    private static func port(_ cloud: ComputeCloud, as caller: TestCaller = .member) async -> String {
        let made = await cloud.harness.post(
            "/network/v2.0/ports", ["port": ["network_id": .string(cloud.network.text)]], as: caller)
        return made.json["port"]?["id"]?.stringValue ?? ""
    }

    @Test("attached by network, seen on the plan and in the addresses, detached once the guest has let it go")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let first = try #require(try await cloud.spec(id)?.interfaces.first?.port)
        let made = await Self.attach(
            cloud, id,
            ["net_id": .string(cloud.network.text), "fixed_ips": [["ip_address": "10.0.0.77"]], "tag": "nic"], minor: 70
        )
        #expect(made.status == 200)
        let shown = try #require(made.json["interfaceAttachment"])
        #expect(shown["tag"] == "nic")
        #expect(shown["net_id"] == .string(cloud.network.text))
        #expect(shown["port_state"] == "DOWN")
        #expect(shown["fixed_ips"]?.arrayValue?.first?["ip_address"] == "10.0.0.77")
        let port = try #require(PortID(shown["port_id"]?.stringValue ?? ""))
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first, port])
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == .null)
        #expect(await cloud.show(id)["addresses"]?["private"]?.arrayValue?.count == 2)
        #expect(await Self.interfaces(cloud, id).compactMap { $0["tag"] } == [.null, "nic"])
        #expect(await Self.interfaces(cloud, id, minor: 69).first?["tag"] == nil)

        try await cloud.report(id, .ready, power: .running, interfaces: [first, port].sorted())
        #expect(await cloud.actions(id).first?["action"] == "attach_interface")
        #expect(await cloud.actions(id).first?["message"] == .null)

        #expect(await cloud.harness.delete(Self.path(id, port.text), as: .member).status == 202)
        #expect(await cloud.harness.delete(Self.path(id, port.text), as: .member).status == 202)
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first])
        try await cloud.report(id, .applying, power: .running, interfaces: [first, port].sorted())
        try await cloud.report(id, .ready, power: .running, interfaces: [first, port].sorted())
        #expect(await Self.interfaces(cloud, id).count == 2, "the guest has it still")
        try await cloud.report(id, .ready, power: .running, interfaces: [first])
        #expect(await Self.interfaces(cloud, id).count == 1)
        #expect(await cloud.harness.get("/network/v2.0/ports/\(port)", as: .member).status == 404)
        #expect(await cloud.show(id)["addresses"]?["private"]?.arrayValue?.count == 1)
        #expect(await cloud.harness.get(Self.path(id, port.text), as: .member).status == 404)
    }

    @Test("a port of one's own is bound at once, and is there still when it is detached")
    func ownPort() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let port = await Self.port(cloud)
        #expect(await Self.attach(cloud, id, ["port_id": .string(port)]).status == 200)
        let bound = await cloud.harness.get("/network/v2.0/ports/\(port)")
        #expect(bound.json["port"]?["device_id"] == .string(id.text))
        #expect(bound.json["port"]?["binding:host_id"] == "host-a")
        let again = await Self.attach(cloud, id, ["port_id": .string(port)])
        #expect(again.status == 409)
        #expect(again.json["conflictingRequest"]?["message"] == .string("Port \(port) is still in use."))
        try await cloud.report(id, .ready, power: .running)
        _ = await cloud.harness.delete(Self.path(id, port), as: .member)
        try await cloud.report(id, .ready, power: .running)
        let free = await cloud.harness.get("/network/v2.0/ports/\(port)")
        #expect(free.json["port"]?["device_id"] == "")
        #expect(await Self.attach(cloud, id, [:]).status == 200, "the project has one network")
        let empty = await cloud.harness.post(Self.path(id), [:], as: .member)
        #expect(empty.status == 200)
    }

    @Test("a host that cannot plug it in gives it back, and the server is what it was")
    func failure() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let first = try #require(try await cloud.spec(id)?.interfaces.first?.port)
        let port = await Self.port(cloud)
        _ = await Self.attach(cloud, id, ["port_id": .string(port)])
        let error = StatusError(code: .hostFailure, message: "No slot is free.", detail: "virDomainAttachDevice")
        try await cloud.report(id, .failed, power: .running, error: error, interfaces: [first])
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first])
        let held = await cloud.harness.get("/network/v2.0/ports/\(port)")
        #expect(held.json["port"]?["device_id"] == .string(id.text), "the host tries on until it has the new plan")
        try await cloud.report(id, .ready, power: .running, interfaces: [first])
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await Self.interfaces(cloud, id).count == 1)
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first])
        let free = await cloud.harness.get("/network/v2.0/ports/\(port)")
        #expect(free.json["port"]?["device_id"] == "")
        let action = await cloud.actions(id).first { $0["action"] == "attach_interface" }
        #expect(action?["message"] == "Error")

        _ = await cloud.harness.delete(Self.path(id, first.text), as: .member)
        try await cloud.report(id, .failed, power: .running, error: error, interfaces: [first])
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first], "what would not go stays")
        #expect(await cloud.status(id) == "ACTIVE")
    }

    @Test("a host that says nothing leaves an interface where it is")
    func overdue() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let first = try #require(try await cloud.spec(id)?.interfaces.first?.port)
        _ = await cloud.harness.delete(Self.path(id, first.text), as: .member)
        #expect(try await cloud.spec(id)?.interfaces == [])
        cloud.harness.clock.advance(by: .seconds(181))
        try await cloud.expire()
        #expect(try await cloud.spec(id)?.interfaces.map(\.port) == [first])
        #expect(await cloud.actions(id).first?["message"] == "Error")
        #expect(await Self.attach(cloud, id, [:]).status == 200)
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        try await cloud.report(id, .gone)
        #expect(try await cloud.holdsNothing(for: id))
    }

    static let refusals: [(body: [String: JSON], minor: Int, status: Int, message: String)] = [
        (
            ["net_id": "6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f", "port_id": "6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f"], 1,
            400,
            "Must not input both network_id and port_id"
        ),
        (["fixed_ips": [["ip_address": "10.0.0.9"]]], 1, 400, "Must input network_id when request IP address"),
        (
            ["net_id": "6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f"], 1, 404,
            "Network 6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f could not be found."
        ),
        (
            ["port_id": "6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f"], 1, 404,
            "Port id 6c1d2a7e-4f5b-4c8d-9e0f-1a2b3c4d5e6f could not be found."
        ),
        (
            ["tag": "x"], 48, 400,
            "Additional properties are not allowed ('tag' was unexpected)"
        )
    ]

    @Test("what cannot be attached is refused in Nova's words", arguments: refusals.indices)
    func refused(_ index: Int) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let (body, minor, status, message) = Self.refusals[index]
        let answer = await Self.attach(cloud, id, body, minor: minor)
        #expect(answer.status == status)
        #expect(
            answer.json.objectValue?.values.first?["message"]?.stringValue?.hasSuffix(message) == true,
            "\(answer.json.text)")
        #expect(await Self.interfaces(cloud, id).count == 1)
    }

    @Test("ports of others, states and locks stand in the way")
    func states() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let foreign = await Self.port(cloud, as: .stranger)
        #expect(await Self.attach(cloud, id, ["port_id": .string(foreign)]).status == 404)
        #expect(await cloud.harness.delete(Self.path(id, foreign), as: .member).status == 404)
        #expect(await cloud.harness.post(Self.path(id), [:], as: .stranger).status == 404)
        #expect(await cloud.harness.post(Self.path(id), [:], as: .reader).status == 403)
        _ = await cloud.act(id, ["lock": nil])
        #expect(await Self.attach(cloud, id, [:]).status == 409)
        _ = await cloud.act(id, ["unlock": nil])
        _ = await cloud.act(id, ["suspend": nil])
        let busy = await Self.attach(cloud, id, [:])
        #expect(
            busy.json["conflictingRequest"]?["message"]
                == .string("Cannot 'attach_interface' instance \(id) while it is in task_state suspending"))
        try await cloud.report(id, .ready, power: .shutdown)
        let suspended = await Self.attach(cloud, id, [:])
        #expect(
            suspended.json["conflictingRequest"]?["message"]
                == .string("Cannot 'attach_interface' instance \(id) while it is in vm_state suspended"))
    }

    @Test("interfaces keep the tags that they were made with")
    func tags() async throws {
        let cloud = try await ComputeCloud()
        let answer = await cloud.create(
            ["networks": [["uuid": .string(cloud.network.text), "tag": "front"]]], minor: 42)
        let id = try ComputeCloud.id(answer)
        #expect(await Self.interfaces(cloud, id).compactMap { $0["tag"] } == ["front"])
    }
}
