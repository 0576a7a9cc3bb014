import AgentSimulated
import CoordinatorPlatform
import FoundationEssentials
import Glibc
import NIOPosix
import ProtocolModel
import TestsSupportRandomness

/// One coordinator, some hosts, their users and the weather, under one virtual clock.
final class World {
    let coordinator: SimulatedCoordinator
    let nodes: [SimulatedNode]
    let clock: ManualClock
    private let folder: String
    private var chance: SeededGenerator
    private var image = ""
    private var network = ""
    /// Servers whose deletion was accepted.
    private(set) var deleted: Set<String> = []
    private(set) var deletedVolumes: Set<String> = []
    /// Volumes that were seen with two guests at once.
    private var shared: [String] = []
    /// What comes to pass later: at the second it is due.
    private var later: [(due: Int, work: (World) async throws -> Void)] = []
    private(set) var second = 0
    private let log = SimulationLog.logger("world")
    /// What has happened so far, so that a test can tell a storm from a calm.
    private(set) var tally: [String: Int] = [:]

    init(seed: UInt64, hosts: Int = 3) async throws {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        // Certificates are checked by the kernel's clock: the virtual one begins there and runs ahead.
        clock = ManualClock(epoch: Int64(now.tv_sec) * 1_000_000)
        chance = SeededGenerator(seed: seed)
        folder = "/tmp/skerry-simulation-\(getpid())-\(seed)-\(hosts)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let group = MultiThreadedEventLoopGroup.singleton
        coordinator = try await SimulatedCoordinator(folder: folder, wall: clock.wall, group: group)
        var nodes: [SimulatedNode] = []
        for number in 1...hosts {
            nodes.append(
                try await SimulatedNode(name: "host-\(number)", clock: clock, group: group, seed: chance.next()))
        }
        self.nodes = nodes
        try await startCoordinator()
        let token = try await coordinator.joinToken(uses: hosts)
        for node in nodes {
            try await node.join(token)
            try node.start()
        }
        try await furnish()
        for _ in 0..<300 where await !allHostsAreUp() { try await pass() }
    }

    private func allHostsAreUp() async -> Bool {
        let seen = await coordinator.send(.get, "/skerry/v1/nodes", asOperator: true)?.json["nodes"]?.arrayValue ?? []
        return seen.count == nodes.count && seen.allSatisfy { $0["health"]?.stringValue == "up" }
    }

    func end() async throws {
        for node in nodes { await node.end() }
        try await coordinator.end()
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Whether the host gets the bytes of the image that all servers are made from.
    func givesImage(to node: SimulatedNode) async throws -> Bool {
        let shown = await coordinator.send(.get, "/image/v2/images/\(image)")?.json
        guard let id = ImageID(image), let sha512 = shown?["os_hash_value"]?.stringValue else {
            throw Failure("no image: \(String(describing: shown))")
        }
        return try await node.canRead(id, sha512: sha512)
    }

    /// An image, a network, a flavor.
    private func furnish() async throws {
        let image = await coordinator.send(
            .post, "/image/v2/images", ["name": "guest", "disk_format": "raw", "container_format": "bare"])
        guard let id = image?.json["id"]?.stringValue else { throw Failure("no image: \(String(describing: image))") }
        self.image = id
        _ = await coordinator.send(
            .put, "/image/v2/images/\(id)/file", bytes: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let network = await coordinator.send(.post, "/network/v2.0/networks", ["network": ["name": "inside"]])
        guard let id = network?.json["network"]?["id"]?.stringValue else {
            throw Failure("no network: \(String(describing: network))")
        }
        self.network = id
        let subnet = await coordinator.send(
            .post, "/network/v2.0/subnets",
            ["subnet": ["network_id": .string(id), "ip_version": 4, "cidr": "10.1.0.0/24"]])
        let flavor = await coordinator.send(
            .post, "/compute/v2.1/flavors",
            ["flavor": ["name": "m1.nano", "id": "1", "ram": 128, "vcpus": 1, "disk": 1]])
        guard subnet?.status == 201, flavor?.status == 200 else {
            throw Failure("no subnet or flavor: \(String(describing: subnet)), \(String(describing: flavor))")
        }
    }

    // MARK: Time

    /// One second: the daemons do what is due, and get the time to do it.
    func pass() async throws {
        second += 1
        let due = later.filter { $0.due <= second }
        later.removeAll { $0.due <= second }
        for item in due { try await item.work(self) }
        for _ in 0..<4 {
            clock.advance(by: .milliseconds(250))
            await settle()
        }
        await coordinator.tick()
        await settle()
        shared += sharedVolumes()
        try await buryTheDead()
    }

    /// Waits until nothing is written any more; 100 ms at most.
    private func settle() async {
        var quiet = 0
        var commits = coordinator.database.commits
        for _ in 0..<100 where quiet < 3 {
            try? await Task.sleep(for: .milliseconds(1))
            let now = coordinator.database.commits
            quiet = now == commits ? quiet + 1 : 0
            commits = now
        }
    }

    func noteDeleted(volume: String) { deletedVolumes.insert(volume) }

    func count(_ event: String) {
        log.debug("\(event)")
        tally[event, default: 0] += 1
    }

    private func after(_ seconds: Int, _ work: @escaping (World) async throws -> Void) {
        later.append((second + seconds, work))
    }

    private var comebacks: [String: Int] = [:]

    /// Whoever died is brought back when its time has come.
    private func buryTheDead() async throws {
        if coordinator.hasDied {
            count("coordinator died")
            await coordinator.bury()
            for node in nodes { node.cable.connect(to: nil) }
            let steps = chance.isHit(percent: 30) ? 1 + chance.below(10) : nil
            after(comebacks.removeValue(forKey: "coordinator") ?? 1) { try await $0.startCoordinator(steps: steps) }
        }
        for node in nodes where node.hasDied {
            count("agent died")
            await node.bury()
            after(comebacks.removeValue(forKey: node.name) ?? 1) { _ in try node.start() }
        }
    }

    /// - Parameter steps: After how many it dies again; its start takes some.
    private func startCoordinator(steps: Int? = nil) async throws {
        let cables = nodes.map(\.cable)
        do {
            try await coordinator.start(steps: steps) { for cable in cables { cable.drop() } }
        } catch  where steps != nil {
            count("coordinator died starting")
            return after(1) { try await $0.startCoordinator() }
        }
        for cable in cables { cable.connect(to: coordinator.port) }
    }

    // MARK: Weather

    func storm(seconds: Int, isStormy: Bool) async throws {
        for _ in 0..<seconds {
            await befall(Weather.next(hosts: nodes.count, isStormy: isStormy, chance: &chance))
            try await pass()
        }
        for node in nodes {
            node.setTrouble(percent: 0)
            node.setSlow(false)
            node.change(toOlderRelease: false)
        }
        try await coordinator.setRefusal(false)
    }

    private func befall(_ weather: Weather) async {
        log.debug("second \(second): \(weather)")
        switch weather {
        case .calm: break
        case .create: await create()
        case .delete: if let server = await someServer() { await delete(server.id) }
        case .act: if let server = await someServer() { await act(on: server) }
        case .createVolume: await createVolume()
        case .attach: await attachVolume(&chance)
        case .detach: await detachVolume(&chance)
        case .deleteVolume: await deleteVolume(&chance)
        case .guestOff: nodes[chance.below(nodes.count)].powerOffAGuest(&chance)
        case .agentDies(let host, let steps, let seconds):
            comebacks[nodes[host].name] = seconds
            nodes[host].die(after: steps)
        case .coordinatorDies(let steps, let seconds):
            comebacks["coordinator"] = seconds
            coordinator.die(after: steps)
        case .cut(let host, let bytes, let seconds):
            nodes[host].cable.cut(afterBytes: bytes)
            after(seconds) { $0.nodes[host].cable.mend() }
        case .powerLoss(let host, let seconds):
            comebacks[nodes[host].name] = seconds
            nodes[host].losePower()
        case .planLost(let host, let seconds):
            comebacks[nodes[host].name] = seconds
            nodes[host].losePlan()
        case .trouble(let host, let percent, let seconds):
            nodes[host].setTrouble(percent: percent)
            after(seconds) { $0.nodes[host].setTrouble(percent: 0) }
        case .slow(let host, let seconds):
            nodes[host].setSlow(true)
            after(seconds) { $0.nodes[host].setSlow(false) }
        case .olderRelease(let host, let seconds):
            nodes[host].change(toOlderRelease: true)
            after(seconds) { $0.nodes[host].change(toOlderRelease: false) }
        case .refusal(let seconds):
            try? await coordinator.setRefusal(true)
            after(seconds) { try await $0.coordinator.setRefusal(false) }
        }
    }

    func create() async {
        let server: JSON = [
            "name": .string("server-\(second)"), "flavorRef": "1", "imageRef": .string(image),
            "networks": [["uuid": .string(network)]]
        ]
        let answer = await coordinator.send(.post, "/compute/v2.1/servers", ["server": server])
        count("create \(answer?.status ?? 0)")
    }

    private func delete(_ server: String) async {
        let answer = await coordinator.send(.delete, "/compute/v2.1/servers/\(server)")
        count("delete \(answer?.status ?? 0)")
        if answer?.status == 204 { deleted.insert(server) }
    }

    private func act(on server: ServerSeen) async {
        let status = chance.isHit(percent: 15) ? "ACTIVE" : server.status
        guard let fitting = Weather.actions[status] else { return }
        let action = fitting[chance.below(fitting.count)]
        let body: JSON =
            switch action {
            case "reboot-soft": ["reboot": ["type": "SOFT"]]
            case "reboot-hard": ["reboot": ["type": "HARD"]]
            default: .object([action: .null])
            }
        let answer = await coordinator.send(.post, "/compute/v2.1/servers/\(server.id)/action", body)
        count("\(action) \(answer?.status ?? 0)")
    }

    private func someServer() async -> ServerSeen? {
        let servers = await servers().sorted { $0.id < $1.id }
        return servers.isEmpty ? nil : servers[chance.below(servers.count)]
    }

    /// Deletes all servers and lets that come to rest, again where the coordinator died over it.
    /// - Returns: What is wrong then.
    func clear(within seconds: Int) async throws -> [String] {
        var problems: [String] = []
        for _ in 0..<10 {
            for server in await servers() { await delete(server.id) }
            problems = try await rest(within: seconds)
            if !problems.isEmpty { break }
            let left = await servers()
            for volume in await volumes() { await delete(volume: volume.id) }
            problems = try await rest(within: seconds)
            if !problems.isEmpty { break }
            let volumesLeft = await volumes()
            if coordinator.isRunning && left.isEmpty && volumesLeft.isEmpty { break }
        }
        return problems
    }

    // MARK: Looking

    func servers() async -> [ServerSeen] {
        await coordinator.send(.get, "/compute/v2.1/servers/detail?all_tenants=1")?.json["servers"]?.arrayValue?
            .compactMap { ServerSeen($0) } ?? []
    }

    /// Lets time pass until everything is as it should be.
    /// - Returns: What still is not after so many seconds.
    func rest(within seconds: Int) async throws -> [String] {
        var problems = ["no time"]
        for _ in 0..<seconds {
            try await pass()
            problems = try await self.problems() + shared
            if problems.isEmpty { break }
        }
        return problems
    }
}
