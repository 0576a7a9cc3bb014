import ProtocolModel

extension Hello: MessageConvertible {
    init(_ message: PBHello) throws(WireError) {
        self.init(
            versions: ProtocolVersions(oldest: message.oldestVersion, newest: message.newestVersion),
            node: try NodeID(octets: message.node, field: "hello.node"), agentVersion: message.agentVersion,
            position: PlanPosition(message.position), bootID: message.bootID,
            capabilities: message.hasCapabilities ? AgentCapabilities(message.capabilities) : nil)
    }

    var wire: PBHello {
        .with {
            $0.oldestVersion = versions.oldest
            $0.newestVersion = versions.newest
            $0.node = .init(node.octets)
            $0.agentVersion = agentVersion
            $0.position = position.wire
            $0.bootID = bootID
            if let capabilities { $0.capabilities = capabilities.wire }
        }
    }
}

extension AgentCapabilities: MessageConvertible {
    init(_ message: PBCapabilities) {
        self.init(kinds: Self.names(message.kinds), operations: Self.names(message.operations))
    }

    private static func names(_ items: [PBCapabilities.Item]) -> [Int: String] {
        Dictionary(items.map { (Int($0.number), $0.name) }) { first, _ in first }
    }

    var wire: PBCapabilities {
        .with {
            $0.kinds = Self.items(kinds)
            $0.operations = Self.items(operations)
        }
    }

    private static func items(_ names: [Int: String]) -> [PBCapabilities.Item] {
        names.sorted { $0.key < $1.key }.map { number, name in
            .with {
                $0.number = clamped(number)
                $0.name = name
            }
        }
    }
}

extension WelcomeMessage: MessageConvertible {
    init(_ message: PBWelcome) throws(WireError) {
        // An hour of silence at most, and never a busy loop of pings.
        guard (10...3_600_000).contains(message.keepAliveMilliseconds) else {
            throw .invalid("welcome.keep_alive_milliseconds: \(message.keepAliveMilliseconds)")
        }
        self.init(
            version: message.version, keepAliveMilliseconds: message.keepAliveMilliseconds,
            serverTime: message.serverTime, willSendSnapshot: message.willSendSnapshot,
            coordinatorVersion: message.coordinatorVersion)
    }

    var wire: PBWelcome {
        .with {
            $0.version = version
            $0.keepAliveMilliseconds = keepAliveMilliseconds
            $0.serverTime = serverTime
            $0.willSendSnapshot = willSendSnapshot
            $0.coordinatorVersion = coordinatorVersion
        }
    }
}

extension JoinRequestMessage: MessageConvertible {
    init(_ message: PBJoinRequest) throws(WireError) {
        self.init(
            versions: ProtocolVersions(oldest: message.oldestVersion, newest: message.newestVersion),
            secret: [UInt8](message.secret), certificateRequestDER: [UInt8](message.certificateRequestDer),
            hostname: message.hostname)
    }

    var wire: PBJoinRequest {
        .with {
            $0.oldestVersion = versions.oldest
            $0.newestVersion = versions.newest
            $0.secret = .init(secret)
            $0.certificateRequestDer = .init(certificateRequestDER)
            $0.hostname = hostname
        }
    }
}

extension GrantMessage: MessageConvertible {
    init(_ message: PBJoinResponse) throws(WireError) {
        self.init(
            node: try NodeID(octets: message.node, field: "grant.node"), certificatePEM: message.certificatePem,
            authorityPEM: message.authorityPem)
    }

    init(renewal message: PBRenewResponse) throws(WireError) {
        self.init(
            node: try NodeID(octets: message.node, field: "grant.node"), certificatePEM: message.certificatePem,
            authorityPEM: message.authorityPem)
    }

    var wire: PBJoinResponse {
        .with {
            $0.node = .init(node.octets)
            $0.certificatePem = certificatePEM
            $0.authorityPem = authorityPEM
        }
    }

    var renewal: PBRenewResponse {
        .with {
            $0.node = .init(node.octets)
            $0.certificatePem = certificatePEM
            $0.authorityPem = authorityPEM
        }
    }
}

extension WireRefusal: MessageConvertible {
    init(_ message: PBRefusal) throws(WireError) {
        self.init(code: Code(message.code), message: message.message)
    }

    var wire: PBRefusal {
        .with {
            $0.code = code.wire
            $0.message = message
        }
    }
}

extension WireRefusal.Code {
    /// A reason of a newer release is still a refusal, and its text says the rest.
    init(_ message: PBRefusal.Code) {
        switch message {
        case .unauthorized: self = .unauthorized
        case .revoked: self = .revoked
        case .notFound: self = .notFound
        case .unavailable: self = .unavailable
        case .versionMismatch: self = .versionMismatch
        case .malformed: self = .malformed
        case .wrongNode: self = .wrongNode
        case .busy: self = .busy
        case .internalError, .unspecified, .UNRECOGNIZED: self = .internalError
        }
    }

    var wire: PBRefusal.Code {
        switch self {
        case .unauthorized: .unauthorized
        case .revoked: .revoked
        case .notFound: .notFound
        case .unavailable: .unavailable
        case .versionMismatch: .versionMismatch
        case .malformed: .malformed
        case .internalError: .internalError
        case .wrongNode: .wrongNode
        case .busy: .busy
        }
    }
}

extension GoAwayReason {
    /// A reason of a newer release ends the session all the same.
    init(_ message: PBGoAway.Reason) {
        switch message {
        case .shuttingDown: self = .shuttingDown
        case .replaced: self = .replaced
        case .revoked: self = .revoked
        case .protocolError: self = .protocolError
        case .peerSilent: self = .peerSilent
        case .finished, .unspecified, .UNRECOGNIZED: self = .finished
        }
    }

    var wire: PBGoAway.Reason {
        switch self {
        case .shuttingDown: .shuttingDown
        case .replaced: .replaced
        case .revoked: .revoked
        case .protocolError: .protocolError
        case .peerSilent: .peerSilent
        case .finished: .finished
        }
    }
}

extension StreamOpening: MessageConvertible {
    init(_ message: PBStreamOpen) throws(WireError) {
        self.init(initialCredit: message.initialCredit, source: try Source(message.source))
    }

    var wire: PBStreamOpen {
        .with {
            $0.initialCredit = initialCredit
            $0.source = source.wire
        }
    }
}

extension StreamOpening.Source {
    init(_ message: PBStreamOpen.OneOf_Source?) throws(WireError) {
        switch message {
        case .image(let image):
            self = .image(
                try ImageID(octets: image.image, field: "stream.image"),
                sha512: try SHA512Text.text(image.sha512, field: "stream.sha512"),
                offset: Int64(try natural(image.offset, field: "stream.offset")))
        case .token(let token): self = .token(token.text)
        case .serverCertificate(let request): self = .serverCertificate([UInt8](request.certificateRequestDer))
        case .upload(let upload):
            self = .upload(
                try OperationID(octets: upload.operation, field: "stream.operation"),
                image: try ImageID(octets: upload.image, field: "stream.image"),
                size: Int64(try natural(upload.size, field: "stream.size")))
        case .signing(let request):
            self = .signing(SigningKeyRequest(access: request.access, date: request.date, region: request.region))
        case .console(let console):
            self = .console(try ConsoleID(octets: console.session, field: "stream.session"))
        case nil: self = .unknown
        }
    }

    var wire: PBStreamOpen.OneOf_Source? {
        switch self {
        case .image(let image, let sha512, let offset):
            .image(
                .with {
                    $0.image = .init(image.octets)
                    $0.sha512 = .init(SHA512Text.octets(sha512))
                    $0.offset = offset
                })
        case .token(let text): .token(.with { $0.text = text })
        case .serverCertificate(let request):
            .serverCertificate(.with { $0.certificateRequestDer = .init(request) })
        case .upload(let operation, let image, let size):
            .upload(
                .with {
                    $0.operation = .init(operation.octets)
                    $0.image = .init(image.octets)
                    $0.size = size
                })
        case .signing(let request):
            .signing(
                .with {
                    $0.access = request.access
                    $0.date = request.date
                    $0.region = request.region
                })
        case .console(let session): .console(.with { $0.session = .init(session.octets) })
        case .unknown: nil
        }
    }
}
