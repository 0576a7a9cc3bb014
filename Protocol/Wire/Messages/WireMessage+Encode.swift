import NIOCore
import ProtocolModel

extension WireMessage {
    /// The frame of this message.
    /// - Throws: ``WireError`` with `bodyTooLarge` beyond ``WireLimits/bodyBytes``; plans and statuses are divided
    ///   beforehand by ``PlanDivision`` and ``StatusDivision``.
    public func frame() throws(WireError) -> Frame {
        if case .streamData(let stream, let bytes) = self {
            return Frame(kind: kind.rawValue, stream: stream, body: bytes)
        }
        let body = try bodyBytes()
        guard body.count <= WireLimits.bodyBytes else {
            throw WireError(.bodyTooLarge, "\(kind): \(body.count) octets, at most \(WireLimits.bodyBytes)")
        }
        var flags: Frame.Flags = []
        if case .plan(_, continues: true) = self { flags = .continues }
        return Frame(kind: kind.rawValue, flags: flags, stream: stream, body: ByteBuffer(bytes: body))
    }

    public var kind: MessageKind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .joinRequest: .joinRequest
        case .joinResponse: .joinResponse
        case .renewRequest: .renewRequest
        case .renewResponse: .renewResponse
        case .refusal: .refusal
        case .goAway: .goAway
        case .ping: .ping
        case .pong: .pong
        case .messageCredit: .messageCredit
        case .plan: .plan
        case .planHeld: .planHeld
        case .statuses: .statuses
        case .report: .report
        case .health: .health
        case .operation: .operation
        case .operationResult: .operationResult
        case .operationAcknowledged: .operationAcknowledged
        case .streamOpen: .streamOpen
        case .streamData: .streamData
        case .streamCredit: .streamCredit
        case .streamEnd: .streamEnd
        }
    }

    /// 0 for what is not part of a stream.
    public var stream: UInt32 {
        switch self {
        case .streamOpen(let stream, _), .streamData(let stream, _), .streamCredit(let stream, _),
            .streamEnd(let stream, _):
            stream
        default: 0
        }
    }

    private func bodyBytes() throws(WireError) -> [UInt8] {
        switch self {
        case .hello(let hello): try serialize(hello.wire)
        case .welcome(let welcome): try serialize(welcome.wire)
        case .joinRequest(let request): try serialize(request.wire)
        case .joinResponse(let grant): try serialize(grant.wire)
        case .renewRequest(let request):
            try serialize(PBRenewRequest.with { $0.certificateRequestDer = .init(request) })
        case .renewResponse(let grant): try serialize(grant.renewal)
        case .refusal(let refusal): try serialize(refusal.wire)
        case .goAway(let reason, let message):
            try serialize(
                PBGoAway.with {
                    $0.reason = reason.wire
                    $0.message = message
                })
        case .ping(let number): try serialize(PBPing.with { $0.number = number })
        case .pong(let number): try serialize(PBPong.with { $0.number = number })
        case .messageCredit(let bytes): try serialize(PBMessageCredit.with { $0.bytes = bytes })
        case .plan(let update, _): try serialize(update.wire)
        case .planHeld(let position): try serialize(position.wire)
        case .statuses(let statuses): try serialize(PBStatuses.with { $0.statuses = statuses.map(\.wire) })
        case .report(let report): try serialize(report.wire)
        case .health(let health): try serialize(health.wire)
        case .operation(let operation): try serialize(operation.wire)
        case .operationResult(let result): try serialize(result.wire)
        case .operationAcknowledged(let id): try serialize(PBOperationAck.with { $0.id = .init(id.octets) })
        case .streamOpen(_, let opening): try serialize(opening.wire)
        case .streamData(_, let bytes): Array(bytes.readableBytesView)
        case .streamCredit(_, let bytes): try serialize(PBStreamCredit.with { $0.bytes = bytes })
        case .streamEnd(_, let error):
            try serialize(PBStreamEnd.with { if let error { $0.error = error.wire } })
        }
    }
}
