import ProtocolModel

extension GuestMetadata {
    /// The versions of the OpenStack tree, oldest first; each adds to the one before.
    enum OpenStackVersion: String, CaseIterable, Comparable {
        case folsom = "2012-08-10"
        case grizzly = "2013-04-04"
        case havana = "2013-10-17"
        case liberty = "2015-10-15"
        case newtonOne = "2016-06-30"
        case newtonTwo = "2016-10-06"
        case ocata = "2017-02-22"
        case rocky = "2018-08-27"
        case victoria = "2020-10-14"

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
        static let latest: Self = .victoria
    }

    func openStackAnswer(_ tokens: ArraySlice<String>) -> Answer {
        guard let name = tokens.first else {
            return .text((OpenStackVersion.allCases.map(\.rawValue) + ["latest"]).joined(separator: "\n"))
        }
        guard let version = name == "latest" ? .latest : OpenStackVersion(rawValue: name), tokens.count <= 2 else {
            return .notFound
        }
        guard let file = tokens.dropFirst().first else {
            return .text(openStackFileNames(version).joined(separator: "\n"))
        }
        guard openStackFileNames(version).contains(file) else { return .notFound }
        return openStackFile(file, version: version)
    }

    /// The config drive's half of this tree: all but the password, which only the service can take in.
    func openStackFiles() -> [ConfigDriveContent.File] {
        (OpenStackVersion.allCases.map { ($0.rawValue, $0) } + [("latest", .latest)]).flatMap { name, version in
            openStackFileNames(version).filter { $0 != "password" }.compactMap { file -> ConfigDriveContent.File? in
                if file == "meta_data.json" {
                    return .init(
                        path: "openstack/\(name)/\(file)",
                        bytes: instanceDocument(version, withAdminPassword: true).bytes)
                }
                guard case .bytes(let bytes, _) = openStackFile(file, version: version) else { return nil }
                return .init(path: "openstack/\(name)/\(file)", bytes: bytes)
            }
        }
    }

    private func openStackFileNames(_ version: OpenStackVersion) -> [String] {
        var names = ["meta_data.json"]
        if !server.userData.isEmpty { names.append("user_data") }
        if version >= .grizzly { names.append("password") }
        if version >= .havana { names.append("vendor_data.json") }
        if version >= .liberty { names.append("network_data.json") }
        if version >= .newtonTwo { names.append("vendor_data2.json") }
        return names
    }

    private func openStackFile(_ name: String, version: OpenStackVersion) -> Answer {
        switch name {
        case "meta_data.json": .json(instanceDocument(version, withAdminPassword: false))
        case "user_data": .bytes(server.userData, contentType: "text/plain; charset=UTF-8")
        case "password": .text("")
        case "vendor_data.json", "vendor_data2.json": .json(.object([]))
        case "network_data.json": .json(networkDocument())
        default: .notFound
        }
    }

    private func instanceDocument(_ version: OpenStackVersion, withAdminPassword: Bool) -> JSONDocument {
        var members: [(String, JSONDocument)] = [("uuid", .text(server.id.text))]
        if !server.metadata.isEmpty { members.append(("meta", metadataDocument)) }
        let password = server.rescue?.adminPassword ?? server.adminPassword
        if withAdminPassword, !password.isEmpty {
            members.append(("admin_pass", .text(password)))
        }
        if !server.publicKeys.isEmpty {
            members.append(("public_keys", .object(server.publicKeys.map { ($0.name, .text($0.key)) })))
            members.append(
                (
                    "keys",
                    .list(
                        server.publicKeys.map { key in
                            let type = key.key.hasPrefix("-----BEGIN CERTIFICATE") ? "x509" : "ssh"
                            return .object([("name", .text(key.name)), ("type", .text(type)), ("data", .text(key.key))])
                        })
                ))
        }
        members += [
            ("hostname", .text(fullHostname)), ("name", .text(server.name)),
            ("launch_index", .number(server.launchIndex)), ("availability_zone", .text(server.availabilityZone))
        ]
        if version >= .grizzly, !randomSeed.isEmpty { members.append(("random_seed", .text(base64(randomSeed)))) }
        if version >= .liberty { members.append(("project_id", .text(server.project.compact))) }
        if version >= .newtonOne { members.append(("devices", .list([]))) }
        if version >= .victoria { members.append(("dedicated_cpus", .list([]))) }
        return .object(members)
    }

    private var metadataDocument: JSONDocument {
        .object(server.metadata.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
    }
}

extension GuestMetadata.Answer {
    static func json(_ document: JSONDocument) -> Self { .bytes(document.bytes, contentType: "application/json") }
}

/// RFC 4648 section 4, with padding.
private func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
        let group = (0..<3).map { index + $0 < bytes.count ? Int(bytes[index + $0]) : 0 }
        let word = group[0] << 16 | group[1] << 8 | group[2]
        let present = min(3, bytes.count - index)
        for place in 0..<4 {
            out.append(place <= present ? alphabet[word >> (18 - place * 6) & 63] : UInt8(ascii: "="))
        }
        index += 3
    }
    return String(decoding: out, as: UTF8.self)
}
