import ProtocolModel

extension ResourceStatus: MessageConvertible {
    init(_ message: PBResourceStatus) throws(WireError) {
        let details: Details =
            switch message.details {
            case .server(let server)?: .server(try ServerDetails(server))
            case .volume(let volume)?: .volume(try VolumeDetails(volume))
            case nil: .none
            }
        self.init(
            key: try ResourceKey(message.key), generation: message.generation, phase: try Phase(message.phase),
            details: details, error: message.hasError ? try StatusError(message.error) : nil,
            steps: message.steps.map(StatusStep.init))
    }

    var wire: PBResourceStatus {
        .with {
            $0.key = key.wire
            $0.generation = generation
            $0.phase = phase.wire
            switch details {
            case .server(let server): $0.server = server.wire
            case .volume(let volume): $0.volume = volume.wire
            case .none: break
            }
            if let error { $0.error = error.wire }
            $0.steps = steps.map(\.wire)
        }
    }
}

extension ResourceStatus.Phase {
    init(_ message: PBResourceStatus.Phase) throws(WireError) {
        switch message {
        case .pending: self = .pending
        case .applying: self = .applying
        case .ready: self = .ready
        case .failed: self = .failed
        case .gone: self = .gone
        // Of a newer release: neither there yet nor given up.
        case .UNRECOGNIZED: self = .applying
        case .unspecified: throw .invalid("status.phase: \(message.rawValue)")
        }
    }

    var wire: PBResourceStatus.Phase {
        switch self {
        case .pending: .pending
        case .applying: .applying
        case .ready: .ready
        case .failed: .failed
        case .gone: .gone
        }
    }
}

extension ServerDetails: MessageConvertible {
    init(_ message: PBServerDetails) throws(WireError) {
        self.init(
            power: try Self.power(message.power), domainName: message.domainName,
            interfaces: try message.interfaces.converted { port throws(WireError) in
                try PortID(octets: port, field: "server details: interfaces")
            },
            volumes: try message.volumes.converted { volume throws(WireError) in
                try VolumeID(octets: volume, field: "server details: volumes")
            })
    }

    private static func power(_ message: PBServerDetails.Power) throws(WireError) -> PowerState {
        switch message {
        case .none: return .none
        case .running: return .running
        case .paused: return .paused
        case .shutdown: return .shutdown
        case .crashed: return .crashed
        case .suspended: return .suspended
        // Of a newer release: what cannot be told apart here.
        case .UNRECOGNIZED: return .none
        case .unspecified: throw .invalid("server details: power \(message.rawValue)")
        }
    }

    var wire: PBServerDetails {
        .with {
            switch power {
            case .none: $0.power = .none
            case .running: $0.power = .running
            case .paused: $0.power = .paused
            case .shutdown: $0.power = .shutdown
            case .crashed: $0.power = .crashed
            case .suspended: $0.power = .suspended
            }
            $0.domainName = domainName
            $0.interfaces = interfaces.map { .init($0.octets) }
            $0.volumes = volumes.map { .init($0.octets) }
        }
    }
}

extension VolumeDetails: MessageConvertible {
    init(_ message: PBVolumeDetails) throws(WireError) {
        self.init(
            sizeGiB: try natural(message.sizeGib, field: "volume details: size_gib"),
            allocatedBytes: Int64(try natural(message.allocatedBytes, field: "volume details: allocated_bytes")),
            progressPercent: try checked(
                message.progressPercent, 0...100, field: "volume details: progress_percent"))
    }

    var wire: PBVolumeDetails {
        .with {
            $0.sizeGib = Int64(sizeGiB)
            $0.allocatedBytes = allocatedBytes
            $0.progressPercent = clamped(progressPercent)
        }
    }
}

extension StatusError: MessageConvertible {
    init(_ message: PBStatusError) throws(WireError) {
        self.init(code: try Code(message.code), message: message.message, detail: message.detail)
    }

    var wire: PBStatusError {
        .with {
            $0.code = code.wire
            $0.message = message
            $0.detail = detail
        }
    }
}

extension StatusError.Code {
    init(_ message: PBStatusError.Code) throws(WireError) {
        switch message {
        case .hostFailure: self = .hostFailure
        case .noSpace: self = .noSpace
        case .noMemory: self = .noMemory
        case .badImage: self = .badImage
        case .unsupported: self = .unsupported
        case .conflict: self = .conflict
        case .timedOut: self = .timedOut
        // Of a newer release; the message says the rest.
        case .UNRECOGNIZED: self = .hostFailure
        case .unspecified: throw .invalid("error.code: \(message.rawValue)")
        }
    }

    var wire: PBStatusError.Code {
        switch self {
        case .hostFailure: .hostFailure
        case .noSpace: .noSpace
        case .noMemory: .noMemory
        case .badImage: .badImage
        case .unsupported: .unsupported
        case .conflict: .conflict
        case .timedOut: .timedOut
        }
    }
}

extension StatusStep: MessageConvertible {
    init(_ message: PBStatusStep) {
        self.init(
            name: message.name, startedAt: message.startedAt, durationMicroseconds: message.durationMicroseconds,
            error: message.hasError ? message.error : nil)
    }

    var wire: PBStatusStep {
        .with {
            $0.name = name
            $0.startedAt = startedAt
            $0.durationMicroseconds = durationMicroseconds
            if let error { $0.error = error }
        }
    }
}
