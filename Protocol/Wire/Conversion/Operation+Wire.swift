import ProtocolModel

extension Operation: MessageConvertible {
    init(_ message: PBOperation) throws(WireError) {
        self.init(
            id: try OperationID(octets: message.id, field: "operation.id"), deadline: message.deadline,
            action: try Self.action(message.action))
    }

    private static func action(_ message: PBOperation.OneOf_Action?) throws(WireError) -> Action {
        switch message {
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
        case nil: throw .invalid("operation.action: none or of an unknown kind")
        }
    }

    var wire: PBOperation {
        .with {
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
            }
        }
    }
}

extension OperationResult: MessageConvertible {
    init(_ message: PBOperationResult) throws(WireError) {
        self.init(
            id: try OperationID(octets: message.id, field: "result.id"), outcome: try Self.outcome(message.outcome),
            steps: message.steps.map(StatusStep.init))
    }

    private static func outcome(_ message: PBOperationResult.OneOf_Outcome?) throws(WireError) -> Outcome {
        switch message {
        case .done(let done)?: return .done(output: [UInt8](done.output))
        case .failed(let error)?: return .failed(try StatusError(error))
        case .expired?: return .expired
        case .interrupted?: return .interrupted
        case nil: throw .invalid("result.outcome: none or of an unknown kind")
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
