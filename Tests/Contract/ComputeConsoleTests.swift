import CoordinatorConsole
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("remote consoles")
struct ComputeConsoleTests {
    private func open(
        _ cloud: ComputeCloud, _ id: ServerID, _ protocolName: String, _ type: String, minor: Int = 6,
        as caller: TestCaller = .member
    ) async -> Answer {
        await cloud.harness.post(
            "/compute/v2.1/servers/\(id)/remote-consoles",
            ["remote_console": ["protocol": .string(protocolName), "type": .string(type)]], as: caller,
            ComputeCloud.version(minor))
    }

    private static func message(_ answer: Answer, _ name: String = "badRequest") -> JSON? {
        answer.json[name]?["message"]
    }

    private func use(_ token: String, _ cloud: ComputeCloud) async throws -> ConsoleTicket? {
        let now = cloud.harness.clock.now()
        let consoles = cloud.consoles
        return try await cloud.harness.database.write { try consoles.use(token, at: now, in: $0) }
    }

    @Test("a console's address comes with a token that opens that server's console of that kind, once")
    func remoteConsoles() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let vnc = await open(cloud, id, "vnc", "novnc")
        #expect(vnc.status == 200)
        #expect(vnc.json["remote_console"]?["protocol"] == "vnc")
        #expect(vnc.json["remote_console"]?["type"] == "novnc")
        let url = try #require(vnc.json["remote_console"]?["url"]?.stringValue)
        let start = "https://127.0.0.1:6080/vnc_lite.html?path=%3Ftoken%3D"
        try #require(url.hasPrefix(start))
        let token = String(url.dropFirst(start.count))
        #expect(token.count == 64)
        let serial = await open(cloud, id, "serial", "serial", minor: 96)
        let address = try #require(serial.json["remote_console"]?["url"]?.stringValue)
        try #require(address.hasPrefix("wss://127.0.0.1:6080/?token="))
        let other = String(address.dropFirst("wss://127.0.0.1:6080/?token=".count))
        #expect(other != token)

        let ticket = try await use(token, cloud)
        #expect(ticket?.server == id)
        #expect(ticket?.kind == .vnc)
        #expect(try await use(token, cloud) == nil)
        #expect(try await use(other, cloud)?.kind == .serial)
        #expect(try await use("bad" + token, cloud) == nil)
    }

    @Test("the actions of old versions do the same under their names, up to 2.5")
    func actions() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let vnc = await cloud.act(id, ["os-getVNCConsole": ["type": "novnc"]], minor: 5)
        #expect(vnc.status == 200)
        #expect(vnc.json["console"]?["type"] == "novnc")
        #expect(vnc.json["console"]?["url"]?.stringValue?.contains("/vnc_lite.html?path=%3Ftoken%3D") == true)
        let serial = await cloud.act(id, ["os-getSerialConsole": ["type": "serial"]])
        #expect(serial.json["console"]?["url"]?.stringValue?.hasPrefix("wss://") == true)
        let xvp = await cloud.act(id, ["os-getVNCConsole": ["type": "xvpvnc"]])
        #expect(xvp.status == 400)
        #expect(Self.message(xvp) == "Invalid console type xvpvnc")
        let spice = await cloud.act(id, ["os-getSPICEConsole": ["type": "spice-html5"]])
        #expect(spice.status == 400)
        #expect(Self.message(spice) == "Unavailable console type spice-html5.")
        #expect(await cloud.act(id, ["os-getRDPConsole": ["type": "rdp-html5"]]).status == 400)
        for (name, bad): (String, JSON) in [
            ("os-getVNCConsole", ["type": "serial"]), ("os-getVNCConsole", [:]), ("os-getVNCConsole", nil),
            ("os-getVNCConsole", ["type": "novnc", "x": 1]), ("os-getSerialConsole", ["type": "novnc"]),
            ("os-getSPICEConsole", ["type": "novnc"])
        ] {
            #expect(await cloud.act(id, [name: bad]).status == 400, "\(name) \(bad.text)")
        }
        for name in ["os-getVNCConsole", "os-getSerialConsole", "os-getSPICEConsole", "os-getRDPConsole"] {
            #expect(await cloud.act(id, [name: ["type": "novnc"]], minor: 6).status == 404, "\(name)")
        }
    }

    @Test("kinds that there are not are refused in Nova's words at each version, and leave no token")
    func refused() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await open(cloud, id, "vnc", "novnc", minor: 5).status == 404)
        for (protocolName, type, minor, text) in [
            ("vnc", "xvpvnc", 6, "Invalid console type xvpvnc"), ("vnc", "serial", 6, "Invalid console type serial"),
            ("serial", "novnc", 6, "Invalid console type novnc"),
            ("spice", "spice-html5", 6, "Unavailable console type spice-html5."),
            ("mks", "webmks", 8, "Unavailable console type webmks.")
        ] {
            let answer = await open(cloud, id, protocolName, type, minor: minor)
            #expect(answer.status == 400)
            #expect(Self.message(answer) == .string(text))
        }
        // Not in the schema of that version.
        for (protocolName, type, minor) in [
            ("mks", "webmks", 7), ("vnc", "webmks", 7), ("rdp", "rdp-html5", 6), ("vnc", "rdp-html5", 96), ("", "", 96)
        ] {
            let answer = await open(cloud, id, protocolName, type, minor: minor)
            #expect(answer.status == 400, "\(protocolName) \(type)")
            #expect(Self.message(answer)?.stringValue?.contains("is not one of") == true)
        }
        for body: JSON in [[:], ["remote_console": nil], ["remote_console": ["protocol": "vnc"]], ["x": 1]] {
            let answer = await cloud.harness.post(
                "/compute/v2.1/servers/\(id)/remote-consoles", body, as: .member, ComputeCloud.version(6))
            #expect(answer.status == 400, "\(body.text)")
        }
        let count = try await cloud.harness.database.read { try ConsoleTicket.table.count(in: $0) }
        #expect(count == 0)
    }

    @Test("a server that is on no host yet, or not any more, has no console; another's is not found")
    func states() async throws {
        let full = try await ComputeCloud(memoryMiB: 0)
        let nowhere = try ComputeCloud.id(await full.create())
        #expect(await full.status(nowhere) == "ERROR")
        let answer = await open(full, nowhere, "vnc", "novnc")
        #expect(answer.status == 409)
        #expect(Self.message(answer, "conflictingRequest") == .string("Instance \(nowhere) is not ready"))

        let cloud = try await ComputeCloud()
        let running = try await cloud.running()
        #expect(await open(cloud, running, "vnc", "novnc", as: .stranger).status == 404)
        #expect(await open(cloud, running, "vnc", "novnc", as: .admin).status == 200)
        #expect(await open(cloud, ServerID(high: 1, low: 1), "vnc", "novnc").status == 404)
        // A guest that is off may be on by the time the token is used.
        #expect(await cloud.act(running, ["os-stop": nil]).status == 202)
        try await cloud.report(running, .ready, power: .shutdown)
        #expect(await open(cloud, running, "vnc", "novnc").status == 200)
    }

    @Test("tokens end with their time and with their server, and a server has few of them")
    func tokens() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        func token() async -> String {
            let url = await open(cloud, id, "serial", "serial").json["remote_console"]?["url"]?.stringValue ?? ""
            return String(url.suffix(64))
        }
        let first = await token()
        cloud.harness.clock.advance(by: .seconds(599))
        let second = await token()
        cloud.harness.clock.advance(by: .seconds(1))
        #expect(try await use(first, cloud) == nil)
        let third = await token()
        let stored = try await cloud.harness.database.read { try ConsoleTicket.table.all(in: $0) }
        #expect(!stored.isEmpty && stored.allSatisfy { ![first, second, third].contains($0.hash) })
        #expect(try await use(second, cloud)?.server == id)

        for _ in 0..<20 { _ = await token() }
        let count = try await cloud.harness.database.read { try ConsoleTicket.table.count(in: $0) }
        #expect(count == ConsoleSettings().tokensPerServer)
        #expect(try await use(third, cloud) == nil)

        let last = await token()
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(try await use(last, cloud) == nil)
        #expect(try await cloud.harness.database.read { try ConsoleTicket.table.count(in: $0) } == 0)
    }

    @Test("administrators look up what a token opens, which does not use it up")
    func lookUp() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let url = await open(cloud, id, "vnc", "novnc").json["remote_console"]?["url"]?.stringValue ?? ""
        let token = String(url.suffix(64))
        func look(_ token: String, as caller: TestCaller = .admin, minor: Int = 31) async -> Answer {
            await cloud.harness.get(
                "/compute/v2.1/os-console-auth-tokens/\(token)", as: caller, ComputeCloud.version(minor))
        }
        let shown = await look(token)
        #expect(shown.status == 200)
        #expect(
            shown.json == [
                "console": [
                    "instance_uuid": .string(id.text), "host": "host-a", "port": nil, "internal_access_path": nil
                ]
            ])
        #expect(await look(token, minor: 96).status == 200)
        #expect(await look(token, as: .member).status == 403)
        #expect(await look(token, minor: 30).status == 400)
        let unknown = await look(String(repeating: "0", count: 64))
        #expect(unknown.status == 404)
        #expect(Self.message(unknown, "itemNotFound") == "Token not found")
        #expect(try await use(token, cloud)?.kind == .vnc)
        #expect(await look(token).status == 404)
    }

    @Test("where no consoles are served there is none of any kind")
    func off() async throws {
        var settings = ConsoleSettings()
        settings.listen = nil
        let cloud = try await ComputeCloud(consoles: settings)
        let id = try await cloud.running()
        let answer = await open(cloud, id, "vnc", "novnc")
        #expect(answer.status == 400)
        #expect(Self.message(answer) == "Unavailable console type novnc.")
    }
}
