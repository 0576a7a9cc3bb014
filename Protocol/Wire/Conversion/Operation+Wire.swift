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
            switch action {
            case .softReboot(let server, let graceSeconds):
                $0.softReboot = .with {
                    $0.server = .init(server.octets)
                    $0.graceSeconds = Int64(graceSeconds)
                }
            case .hardReboot(let server): $0.hardReboot = .with { $0.server = .init(server.octets) }
            case .consoleOutput(let server, let lines):
                $0.consoleOutput = .with {
                    $0.server = .init(server.octets)
                    if let lines { $0.lines = Int64(lines) }
                }
            case .unknown: break
            }
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
