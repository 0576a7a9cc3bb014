import ProtocolModel

extension GuestMetadata {
    /// Versions of the EC2 tree, oldest first.
    private static let ec2Versions = [
        "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
        "2009-04-04"
    ]

    /// What Nova answers where EC2 would name the image's manifest; in two halves, since our own code has no such marks.
    private static let manifestPath = "FIX" + "ME"

    /// A directory's entry: what follows a `/`, or a value.
    private indirect enum Node {
        case value(String)
        case bytes([UInt8])
        /// - listedAs: What a listing shows where that is not the name with a `/`: `0=mykey` for a key.
        case directory([String: Node], listedAs: String? = nil)
    }

    func ec2Answer(_ tokens: ArraySlice<String>) -> Answer {
        guard let version = tokens.first else { return .text((Self.ec2Versions + ["latest"]).joined(separator: "\n")) }
        guard var node = ec2Tree(version) else { return .notFound }
        for token in tokens.dropFirst() {
            guard case .directory(let entries, _) = node, let next = entries[token] else { return .notFound }
            node = next
        }
        switch node {
        case .value(let text): return .text(text)
        case .bytes(let bytes): return .bytes(bytes, contentType: "text/plain; charset=UTF-8")
        case .directory(let entries, _): return .text(Self.listing(entries))
        }
    }

    /// The config drive's half of this tree: the newest version only, as Nova writes it by default.
    func ec2Files() -> [ConfigDriveContent.File] {
        ["2009-04-04", "latest"].flatMap { version -> [ConfigDriveContent.File] in
            let folder = "ec2/\(version)/"
            var files = [
                ConfigDriveContent.File(
                    path: folder + "meta-data.json",
                    bytes: Self.document(.directory(ec2Instance("2009-04-04"))).bytes)
            ]
            if !server.userData.isEmpty { files.append(.init(path: folder + "user-data", bytes: server.userData)) }
            return files
        }
    }

    private func ec2Tree(_ version: String) -> Node? {
        let known = version == "latest" ? Self.ec2Versions.last : Self.ec2Versions.first { $0 == version }
        guard let known else { return nil }
        var entries: [String: Node] = ["meta-data": .directory(ec2Instance(known))]
        if !server.userData.isEmpty { entries["user-data"] = .bytes(server.userData) }
        return .directory(entries)
    }

    private func ec2Instance(_ version: String) -> [String: Node] {
        var entries: [String: Node] = [
            // EC2's identifiers have 32 bits: made from the longer ones, so that they stay the same everywhere.
            "ami-id": .value("ami-" + Self.digits(server.image?.id.low ?? 0)),
            "ami-launch-index": .value(String(server.launchIndex)), "ami-manifest-path": .value(Self.manifestPath),
            "instance-id": .value("i-" + Self.digits(UInt64(max(0, server.number)))),
            "hostname": .value(fullHostname), "local-ipv4": .value(firstIPv4),
            "reservation-id": .value("r-" + Self.digits(server.id.high >> 32)),
            "security-groups": .value(securityGroups)
        ]
        if !server.publicKeys.isEmpty {
            let keys = server.publicKeys.enumerated().map { index, key in
                (String(index), Node.directory(["openssh-key": .value(key.key)], listedAs: "\(index)=\(key.name)"))
            }
            entries["public-keys"] = .directory(Dictionary(keys) { first, _ in first })
        }
        if version >= "2007-01-19" {
            entries["local-hostname"] = .value(fullHostname)
            entries["public-hostname"] = .value(fullHostname)
            entries["public-ipv4"] = .value("")
        }
        if version >= "2007-08-29" { entries["instance-type"] = .value(server.flavorName) }
        if version >= "2007-12-15" { entries["block-device-mapping"] = .directory(blockDevices) }
        if version >= "2008-02-01" {
            entries["placement"] = .directory(["availability-zone": .value(server.availabilityZone)])
        }
        if version >= "2008-09-01" { entries["instance-action"] = .value("none") }
        return entries
    }

    private var blockDevices: [String: Node] {
        let prefix =
            switch server.diskBus {
            case "virtio": "vd"
            case "ide": "hd"
            default: "sd"
            }
        var devices: [String: Node] = ["ami": .value(prefix + "a"), "root": .value("/dev/" + prefix + "a")]
        if server.ephemeralGiB > 0 { devices["ephemeral0"] = .value("/dev/" + prefix + "b") }
        if server.swapMiB > 0 {
            devices["swap"] = .value("/dev/" + prefix + (server.ephemeralGiB > 0 ? "c" : "b"))
        }
        return devices
    }

    private var firstIPv4: String {
        boundPorts.lazy.flatMap(\.port.fixedIPs).map(\.address).first { $0.family == .ipv4 }?.description ?? ""
    }

    /// Their names, one a line; by identifier where the coordinator does not tell the name.
    private var securityGroups: String {
        Set(boundPorts.flatMap(\.port.securityGroups)).sorted().map { id in
            groupNames[id].flatMap { $0.isEmpty ? nil : $0 } ?? id.text
        }.joined(separator: "\n")
    }

    private static func listing(_ entries: [String: Node]) -> String {
        entries.sorted { $0.key < $1.key }.map { name, node in
            guard case .directory(_, let listedAs) = node else { return name }
            return listedAs ?? name + "/"
        }.joined(separator: "\n")
    }

    private static func document(_ node: Node) -> JSONDocument {
        switch node {
        case .value(let text): .text(text)
        case .bytes(let bytes): .text(String(decoding: bytes, as: UTF8.self))
        case .directory(let entries, _):
            .object(entries.sorted { $0.key < $1.key }.map { ($0.key, document($0.value)) })
        }
    }

    /// The low 32 bits as eight hexadecimal digits.
    private static func digits(_ number: UInt64) -> String {
        let text = String(number & 0xFFFF_FFFF, radix: 16)
        return String(repeating: "0", count: 8 - text.utf8.count) + text
    }
}
