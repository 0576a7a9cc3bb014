import NIOCore
import ProtocolModel

extension WireMessage {
    /// Reads the message in `frame`.
    /// - Returns: `nil` for a kind of a newer release, which the caller skips.
    /// - Throws: ``WireError`` for a body that is not what its kind says.
    public static func decode(_ frame: Frame) throws(WireError) -> Self? {
        guard let kind = MessageKind(rawValue: frame.kind) else { return nil }
        if kind.isStream { return try decodeStream(kind, frame) }
        let body = Array(frame.body.readableBytesView)
        switch kind {
        case .hello: return .hello(try ProtocolWire.decode(body))
        case .welcome: return .welcome(try ProtocolWire.decode(body))
        case .joinRequest: return .joinRequest(try ProtocolWire.decode(body))
        case .joinResponse: return .joinResponse(try ProtocolWire.decode(body))
        case .renewRequest:
            let request = try parse(body, as: PBRenewRequest.self)
            return .renewRequest(certificateRequestDER: [UInt8](request.certificateRequestDer))
        case .renewResponse: return .renewResponse(try GrantMessage(renewal: parse(body)))
        case .refusal: return .refusal(try ProtocolWire.decode(body))
        case .goAway:
            let goAway = try parse(body, as: PBGoAway.self)
            return .goAway(GoAwayReason(goAway.reason), message: goAway.message)
        case .ping: return .ping(try parse(body, as: PBPing.self).number)
        case .pong: return .pong(try parse(body, as: PBPong.self).number)
        case .messageCredit: return .messageCredit(try parse(body, as: PBMessageCredit.self).bytes)
        case .plan: return .plan(try ProtocolWire.decode(body), continues: frame.flags.contains(.continues))
        case .planHeld: return .planHeld(try ProtocolWire.decode(body))
        case .statuses:
            let batch = try parse(body, as: PBStatuses.self)
            return .statuses(
                try batch.statuses.converted { status throws(WireError) in try ResourceStatus(status) })
        case .report: return .report(try ProtocolWire.decode(body))
        case .health: return .health(try ProtocolWire.decode(body))
        case .operation: return .operation(try ProtocolWire.decode(body))
        case .operationResult: return .operationResult(try ProtocolWire.decode(body))
        case .operationAcknowledged:
            let acknowledgement = try parse(body, as: PBOperationAck.self)
            return .operationAcknowledged(try OperationID(octets: acknowledgement.id, field: "acknowledgement.id"))
        case .streamOpen, .streamData, .streamCredit, .streamEnd: return nil
        }
    }

    private static func decodeStream(_ kind: MessageKind, _ frame: Frame) throws(WireError) -> Self? {
        guard frame.stream != 0 else { throw .invalid("stream: a stream message on stream 0") }
        switch kind {
        case .streamData: return .streamData(stream: frame.stream, frame.body)
        case .streamOpen:
            return .streamOpen(
                stream: frame.stream, try ProtocolWire.decode(Array(frame.body.readableBytesView)))
        case .streamCredit:
            let credit = try parse(Array(frame.body.readableBytesView), as: PBStreamCredit.self)
            return .streamCredit(stream: frame.stream, bytes: credit.bytes)
        case .streamEnd:
            let end = try parse(Array(frame.body.readableBytesView), as: PBStreamEnd.self)
            return .streamEnd(stream: frame.stream, end.hasError ? try WireRefusal(end.error) : nil)
        default: return nil
        }
    }
}
