/// What a frame's body is. Numbers are for ever; a receiver skips those it does not know.
public enum MessageKind: UInt16, Hashable, Sendable, CaseIterable {
    case hello = 1
    case welcome = 2
    case joinRequest = 3
    case joinResponse = 4
    case renewRequest = 5
    case renewResponse = 6
    case refusal = 7
    case goAway = 8
    case ping = 9
    case pong = 10
    case messageCredit = 11
    case plan = 16
    case planHeld = 17
    case statuses = 18
    case report = 19
    case health = 20
    case operation = 21
    case operationResult = 22
    case operationAcknowledged = 23
    case streamOpen = 32
    case streamData = 33
    case streamCredit = 34
    case streamEnd = 35

    /// Messages between the daemons themselves count against the receiver's message credit; what keeps the session
    /// alive never waits for it.
    public var needsMessageCredit: Bool { (16...31).contains(rawValue) }
    public var isStream: Bool { (32...47).contains(rawValue) }
}
