import ProtocolModel

extension TokenVerdict: MessageConvertible {
    init(_ message: PBTokenVerdict) throws(WireError) {
        self.init(
            user: try UserID(octets: message.user, field: "token.user"), userName: message.userName,
            userDomain: message.userDomain,
            project: message.project.isEmpty ? nil : try ProjectID(octets: message.project, field: "token.project"),
            projectName: message.projectName, projectDomain: message.projectDomain, roles: Set(message.roles),
            expiresAt: message.expiresAt)
    }

    var wire: PBTokenVerdict {
        .with {
            $0.user = .init(user.octets)
            $0.userName = userName
            $0.userDomain = userDomain
            if let project { $0.project = .init(project.octets) }
            $0.projectName = projectName
            $0.projectDomain = projectDomain
            $0.roles = roles.sorted()
            $0.expiresAt = expiresAt
        }
    }
}

extension TokenVerdict: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}

extension SigningKey: MessageConvertible {
    init(_ message: PBSigningKey) throws(WireError) {
        self.init(holder: try TokenVerdict(message.holder), key: [UInt8](message.key))
    }

    var wire: PBSigningKey {
        .with {
            $0.holder = holder.wire
            $0.key = .init(key)
        }
    }
}

extension SigningKey: WireRepresentable {
    public init(wireBytes: [UInt8]) throws(WireError) { self = try decode(wireBytes) }
    public var wireBytes: [UInt8] { get throws(WireError) { try serialize(wire) } }
}
