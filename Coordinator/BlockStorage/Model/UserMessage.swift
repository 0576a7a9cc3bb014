import ProtocolModel

public enum UserMessageTag {}
public typealias UserMessageID = Identifier<UserMessageTag>

/// What a user is told of something that failed after its call was answered.
public struct UserMessage: Sendable, Hashable {
    /// What failed, by Cinder's numbers and in its words.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        case create = "001"
        case copyVolume = "003"
        case copyImage = "005"
        case extend = "007"
        case createSnapshot = "009"
        case deleteSnapshot = "010"
        case other = "000"

        var text: String {
            switch self {
            case .create: "schedule allocate volume"
            case .copyVolume: "copy volume to image"
            case .copyImage: "copy image to volume"
            case .extend: "extend volume"
            case .createSnapshot: "create snapshot"
            case .deleteSnapshot: "delete snapshot"
            case .other: "unknown action"
            }
        }
    }

    public var number: Int64 = 0
    public var id: UserMessageID
    public var project: ProjectID
    public var requestID: String
    /// `VOLUME` or `VOLUME_SNAPSHOT`.
    public var resourceType: String
    public var resource: AnyID
    public var action: Action
    /// For the tenant.
    public var text: String
    public var createdAt: Int64

    public init(
        id: UserMessageID, project: ProjectID, requestID: String, resourceType: String, resource: AnyID,
        action: Action, text: String, createdAt: Int64
    ) {
        self.id = id
        self.project = project
        self.requestID = requestID
        self.resourceType = resourceType
        self.resource = resource
        self.action = action
        self.text = text
        self.createdAt = createdAt
    }

    /// `VOLUME_VOLUME_001_002`: what clients switch on.
    public var eventID: String { "VOLUME_\(resourceType)_\(action.rawValue)_001" }
    public var shown: String { "\(action.text):\(text)" }
    /// Kept for thirty days.
    public static let lifetime: Int64 = 30 * 86_400_000_000
}
