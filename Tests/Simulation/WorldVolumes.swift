import CoordinatorPlatform
import ProtocolModel
import TestsSupportRandomness

/// A volume as the API shows it to an administrator.
struct VolumeSeen {
    var id: String
    var status: String
    /// Without its pool.
    var host: String?
    var servers: [String]

    init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let status = json["status"]?.stringValue else { return nil }
        self.id = id
        self.status = status
        host = json["os-vol-host-attr:host"]?.stringValue.flatMap { $0.split(separator: "@").first.map(String.init) }
        servers = (json["attachments"]?.arrayValue ?? []).compactMap { $0["server_id"]?.stringValue }
    }
}

/// What users do with volumes, and what must be true of them.
extension World {
    func volumes() async -> [VolumeSeen] {
        await coordinator.send(.get, path + "/detail?all_tenants=1")?.json["volumes"]?.arrayValue?
            .compactMap { VolumeSeen($0) } ?? []
    }

    private var path: String { "/volume/v3/\(coordinator.project)/volumes" }

    func createVolume() async {
        let answer = await coordinator.send(.post, path, ["volume": ["size": 1]])
        count("create volume \(answer?.status ?? 0)")
    }

    /// Some server takes a volume that is on its host, or now and then any.
    func attachVolume(_ chance: inout SeededGenerator) async {
        let servers = await servers().sorted { $0.id < $1.id }
        guard !servers.isEmpty else { return }
        let server = servers[chance.below(servers.count)]
        let any = chance.isHit(percent: 10)
        let fitting = await volumes().filter { any || ($0.host == server.host && $0.status == "available") }
        guard let volume = fitting.min(by: { $0.id < $1.id }) else { return }
        let answer = await coordinator.send(
            .post, "/compute/v2.1/servers/\(server.id)/os-volume_attachments",
            ["volumeAttachment": ["volumeId": .string(volume.id)]])
        count("attach \(answer?.status ?? 0)")
    }

    func detachVolume(_ chance: inout SeededGenerator) async {
        let held = await volumes().filter { !$0.servers.isEmpty }.sorted { $0.id < $1.id }
        guard !held.isEmpty else { return }
        let volume = held[chance.below(held.count)]
        let answer = await coordinator.send(
            .delete, "/compute/v2.1/servers/\(volume.servers[0])/os-volume_attachments/\(volume.id)")
        count("detach \(answer?.status ?? 0)")
    }

    func deleteVolume(_ chance: inout SeededGenerator) async {
        let all = await volumes().sorted { $0.id < $1.id }
        guard !all.isEmpty else { return }
        await delete(volume: all[chance.below(all.count)].id)
    }

    func delete(volume: String) async {
        let answer = await coordinator.send(.delete, path + "/\(volume)")
        count("delete volume \(answer?.status ?? 0)")
        if answer?.status == 202 { noteDeleted(volume: volume) }
    }

    // MARK: What must be true

    /// Volumes that guests which run have, with those guests.
    private func held() -> [String: [String]] {
        var held: [String: [String]] = [:]
        for node in nodes {
            for guest in node.host.domains {
                let power = node.host.power(of: guest)
                guard power == .running || power == .paused else { continue }
                for volume in node.host.devices(of: guest)?.volumes ?? [] {
                    held[volume.text, default: []].append(guest.text)
                }
            }
        }
        return held
    }

    /// At any moment, whatever befell.
    func sharedVolumes() -> [String] {
        held().filter { $0.value.count > 1 }.map { "volume \($0.key) is with \($0.value.count) guests at once" }
    }

    /// At rest.
    func volumeProblems(_ servers: [ServerSeen]) async -> [String] {
        var problems: [String] = []
        let volumes = await volumes()
        let held = held()
        for volume in volumes {
            if !["available", "in-use", "error"].contains(volume.status) {
                problems.append("volume \(volume.id) is \(volume.status)")
            }
            if deletedVolumes.contains(volume.id) {
                problems.append("volume \(volume.id) was deleted and is still there")
            }
            if (volume.status == "in-use") != (volume.servers.count == 1) {
                problems.append("volume \(volume.id) is \(volume.status) and with \(volume.servers.count) servers")
            }
            for guest in held[volume.id] ?? [] where !volume.servers.contains(guest) {
                problems.append("guest \(guest) has volume \(volume.id), which is not attached to it")
            }
            for server in servers where volume.servers.contains(server.id) {
                guard server.status == "ACTIVE" || server.status == "PAUSED" else { continue }
                if held[volume.id] != [server.id] { problems.append("server \(server.id) lacks volume \(volume.id)") }
            }
            for server in volume.servers where !servers.contains(where: { $0.id == server }) {
                problems.append("volume \(volume.id) is attached to \(server), which is not there")
            }
        }
        for node in nodes {
            let here = Set(volumes.filter { $0.host == node.name }.map(\.id))
            let stored = Set(node.host.volumes.keys.map(\.text))
            for volume in stored.subtracting(here) { problems.append("\(node.name): volume \(volume) is an orphan") }
            for volume in volumes where volume.host == node.name && volume.status != "error" {
                if !stored.contains(volume.id) { problems.append("\(node.name): volume \(volume.id) is missing") }
            }
            if !node.host.snapshotsUnderWay.isEmpty { problems.append("\(node.name): copies are left over") }
        }
        return problems
    }
}
