import ProtocolModel

/// A kind of volume that an administrator offers.
public struct VolumeType: Sendable, Hashable {
    /// Made with the slice's tables; every volume has a type.
    public static let defaultName = "__DEFAULT__"

    public var number: Int64 = 0
    public var id: VolumeTypeID
    public var generation: Int64 = 1
    public var name: String
    public var description: String?
    public var isPublic: Bool
    public var extraSpecs: [String: String]
    public var qosSpecs: AnyID?
    public var createdAt: Int64
    public var updatedAt: Int64?

    public init(
        id: VolumeTypeID, name: String, description: String? = nil, isPublic: Bool = true,
        extraSpecs: [String: String] = [:], createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.isPublic = isPublic
        self.extraSpecs = extraSpecs
        self.createdAt = createdAt
    }

    /// Its volumes may have several attachments at once.
    public var isMultiattach: Bool { extraSpecs["multiattach"].map(Self.saysTrue) ?? false }

    /// Whether a spec is the phrase for true, `<is> True`.
    static func saysTrue(_ spec: String) -> Bool {
        spec.split(separator: " ").map { $0.lowercased() } == ["<is>", "true"]
    }

    /// Extra specs that everybody may read.
    public static let openSpecs: Set<String> = ["RESKEY:availability_zones", "multiattach", "replication_enabled"]

    /// Zones that its volumes are to be in; `nil` for any.
    public var zones: [String]? {
        extraSpecs["RESKEY:availability_zones"].map {
            $0.split(separator: ",").map { String($0.trimmingBlanks) }.filter { !$0.isEmpty }
        }
    }
}

extension StringProtocol {
    /// Without blanks at either end.
    var trimmingBlanks: SubSequence {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return self[startIndex..<startIndex] }
        return self[first...last]
    }
}
