import AgentCore
import ProtocolModel

/// The name of a file in a pool that holds data.
///
/// ```text
/// VOLUME.NUMBER.REVERSION.qcow2   what was written to a volume between two moments, above another layer or nothing
/// image-SHA512.qcow2|raw          an image as it came
/// ```
enum LayerName: Hashable, Sendable {
    /// - Parameter number: Each is used once for a volume.
    /// - Parameter reversion: ``VolumeSpec/Reversion/version`` of the volume's last revert when the layer was made: it
    ///   takes effect with the layer, in one step.
    case written(VolumeID, number: Int, reversion: Int)
    case image(sha512: String, DomainDisk.Format)

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 4, parts[3] == "qcow2", let volume = VolumeID(parts[0]), let number = Int(parts[1]),
            let reversion = Int(parts[2])
        {
            self = .written(volume, number: number, reversion: reversion)
        } else if parts.count == 2, parts[0].hasPrefix(Self.imagePrefix),
            let format = DomainDisk.Format(rawValue: parts[1])
        {
            self = .image(sha512: String(parts[0].dropFirst(Self.imagePrefix.count)), format)
        } else {
            return nil
        }
        // A spelling of ours, and no other: names are looked up as they are made.
        guard self.text == text else { return nil }
    }

    init(_ image: ImageSpec) {
        self = .image(sha512: image.sha512, image.format == .qcow2 ? .qcow2 : .raw)
    }

    var text: String {
        switch self {
        case .written(let volume, let number, let reversion): "\(volume).\(number).\(reversion).qcow2"
        case .image(let sha512, let format): "\(Self.imagePrefix)\(sha512).\(format.rawValue)"
        }
    }

    /// Never found out from what is in the file: a guest may have written that.
    var format: DomainDisk.Format {
        switch self {
        case .written: .qcow2
        case .image(_, let format): format
        }
    }

    var isImage: Bool { if case .image = self { true } else { false } }

    var reversion: Int { if case .written(_, _, let reversion) = self { reversion } else { 0 } }

    private static let imagePrefix = "image-"
}

/// The name of a symbolic link in a pool: what the cloud calls a layer.
enum LinkName: Hashable, Sendable {
    /// Leads to the layer that a volume's writes go to: guests open it by this name.
    case volume(VolumeID)
    /// Leads to the layer that is about to take the place of a volume's, under a guest that has it.
    case pending(VolumeID)
    case snapshot(VolumeSnapshotID)

    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "volume":
            guard let id = VolumeID(parts[1]) else { return nil }
            self = .volume(id)
        case "pending":
            guard let id = VolumeID(parts[1]) else { return nil }
            self = .pending(id)
        case "snapshot":
            guard let id = VolumeSnapshotID(parts[1]) else { return nil }
            self = .snapshot(id)
        default: return nil
        }
        guard self.text == text else { return nil }
    }

    var text: String {
        switch self {
        case .volume(let id): "volume-\(id)"
        case .pending(let id): "pending-\(id)"
        case .snapshot(let id): "snapshot-\(id)"
        }
    }
}
