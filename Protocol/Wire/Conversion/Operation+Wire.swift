import ProtocolModel

extension Operation: MessageConvertible {
    init(_ message: PBOperation) throws(WireError) {
        self.init(
            id: try OperationID(octets: message.id, field: "operation.id"), deadline: message.deadline,
            action: try Self.action(message))
    }

    private static func action(_ message: PBOperation) throws(WireError) -> Action {
        switch message.action {
        case .softReboot(let reboot)?:
            return .softReboot(
                try ServerID(octets: reboot.server, field: "soft_reboot.server"),
                graceSeconds: try natural(reboot.graceSeconds, field: "soft_reboot.grace_seconds"))
        case .hardReboot(let reboot)?:
            return .hardReboot(try ServerID(octets: reboot.server, field: "hard_reboot.server"))
        case .consoleOutput(let output)?:
            return .consoleOutput(
                try ServerID(octets: output.server, field: "console_output.server"),
                lines: output.hasLines ? try natural(output.lines, field: "console_output.lines") : nil)
        case .snapshot(let snapshot)?:
            return .snapshot(
                try ServerID(octets: snapshot.server, field: "snapshot.server"),
                image: try ImageID(octets: snapshot.image, field: "snapshot.image"))
        case .changePassword(let change)?:
            return .changePassword(
                try ServerID(octets: change.server, field: "change_password.server"), user: change.user,
                password: change.password)
        case .injectNmi(let injection)?:
            return .injectNMI(try ServerID(octets: injection.server, field: "inject_nmi.server"))
        case .diagnostics(let diagnostics)?:
            return .diagnostics(try ServerID(octets: diagnostics.server, field: "diagnostics.server"))
        case .uploadVolume(let upload)?:
            guard let format = ImageSpec.DiskFormat(rawValue: upload.format) else {
                throw .invalid("upload_volume.format: \(upload.format)")
            }
            return .uploadVolume(
                try VolumeID(octets: upload.volume, field: "upload_volume.volume"),
                image: try ImageID(octets: upload.image, field: "upload_volume.image"), format: format)
        case .openConsole(let console)?:
            guard let kind = ConsoleKind(console.kind) else { throw .invalid("open_console.kind: unknown") }
            return .openConsole(
                try ServerID(octets: console.server, field: "open_console.server"), kind,
                session: try ConsoleID(octets: console.session, field: "open_console.session"))
        case nil:
            let bytes = [UInt8](message.unknownFields.data)
            guard let number = fieldNumber(bytes) else { throw .invalid("operation.action: none") }
            return .unknown(UnknownAction(number: number, bytes: bytes))
        }
    }

    var wire: PBOperation {
        // Its bytes were read as fields of such a message.
        if case .unknown(let action) = action, var message: PBOperation = try? parse(action.bytes) {
            message.id = .init(id.octets)
            message.deadline = deadline
            return message
        }
        return .with {
            $0.id = .init(id.octets)
            $0.deadline = deadline
            $0.action = action.wire
        }
    }
}

extension Operation.Action {
    fileprivate var wire: PBOperation.OneOf_Action? {
        switch self {
        case .softReboot(let server, let graceSeconds):
            .softReboot(
                .with {
                    $0.server = .init(server.octets)
                    $0.graceSeconds = Int64(graceSeconds)
                })
        case .hardReboot(let server): .hardReboot(.with { $0.server = .init(server.octets) })
        case .consoleOutput(let server, let lines):
            .consoleOutput(
                .with {
                    $0.server = .init(server.octets)
                    if let lines { $0.lines = Int64(lines) }
                })
        case .snapshot(let server, let image):
            .snapshot(
                .with {
                    $0.server = .init(server.octets)
                    $0.image = .init(image.octets)
                })
        case .changePassword(let server, let user, let password):
            .changePassword(
                .with {
                    $0.server = .init(server.octets)
                    $0.user = user
                    $0.password = password
                })
        case .injectNMI(let server): .injectNmi(.with { $0.server = .init(server.octets) })
        case .diagnostics(let server): .diagnostics(.with { $0.server = .init(server.octets) })
        case .uploadVolume(let volume, let image, let format):
            .uploadVolume(
                .with {
                    $0.volume = .init(volume.octets)
                    $0.image = .init(image.octets)
                    $0.format = format.rawValue
                })
        case .openConsole(let server, let kind, let session):
            .openConsole(
                .with {
                    $0.server = .init(server.octets)
                    $0.kind = kind.wire
                    $0.session = .init(session.octets)
                })
        case .unknown: nil
        }
    }
}

extension ConsoleKind {
    fileprivate init?(_ kind: PBOperation.OpenConsole.Kind) {
        switch kind {
        case .vnc: self = .vnc
        case .serial: self = .serial
        case .unspecified, .UNRECOGNIZED: return nil
        }
    }

    fileprivate var wire: PBOperation.OpenConsole.Kind {
        switch self {
        case .vnc: .vnc
        case .serial: .serial
        }
    }
}

extension OperationResult: MessageConvertible {
    init(_ message: PBOperationResult) throws(WireError) {
        self.init(
            id: try OperationID(octets: message.id, field: "result.id"), outcome: try Self.outcome(message),
            steps: message.steps.map(StatusStep.init))
    }

    private static func outcome(_ message: PBOperationResult) throws(WireError) -> Outcome {
        switch message.outcome {
        case .done(let done)?: return .done(output: [UInt8](done.output))
        case .failed(let error)?: return .failed(try StatusError(error))
        case .expired?: return .expired
        case .interrupted?: return .interrupted
        case nil:
            guard let number = fieldNumber([UInt8](message.unknownFields.data)) else {
                throw .invalid("result.outcome: none")
            }
            return .failed(
                StatusError(
                    code: .unsupported,
                    message: "The host's agent is of a newer release, and its answer is not understood here.",
                    detail: "result.outcome: field \(number), not known to release \(Release.version)"))
        }
    }

    var wire: PBOperationResult {
        .with {
            $0.id = .init(id.octets)
            switch outcome {
            case .done(let output): $0.done = .with { $0.output = .init(output) }
            case .failed(let error): $0.failed = error.wire
            case .expired: $0.expired = .init()
            case .interrupted: $0.interrupted = .init()
            }
            $0.steps = steps.map(\.wire)
        }
    }
}
