import ProtocolModel

/// How volumes of a type are to be encrypted. None can be made until hosts can do it.
public struct TypeEncryption: Sendable, Hashable {
    public var number: Int64 = 0
    public var type: VolumeTypeID
    public var id: AnyID
    public var provider: String
    public var controlLocation: String
    public var cipher: String?
    public var keySize: Int?
    public var createdAt: Int64
    public var updatedAt: Int64?

    public init(
        type: VolumeTypeID, id: AnyID, provider: String, controlLocation: String, cipher: String?, keySize: Int?,
        createdAt: Int64
    ) {
        self.type = type
        self.id = id
        self.provider = provider
        self.controlLocation = controlLocation
        self.cipher = cipher
        self.keySize = keySize
        self.createdAt = createdAt
    }
}
