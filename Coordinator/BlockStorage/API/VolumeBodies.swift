import CoordinatorPlatform
import ProtocolModel

/// The `volume` of a create call.
struct CreateVolumeBody: Sendable {
    private var command = CreateVolume()
    private var zone: String?
    private var image: String?
    private var snapshot: String?
    private var volume: String?
    private var isMultiattach = false
    private var backup: String?
    private var consistencyGroup: String?
    private var ignored: [String: JSON] = [:]
    private(set) var group: String?

    static func read(_ body: JSON, _ version: Microversion) throws -> Self {
        // From 3.53 on, what nobody knows is refused.
        let schema = version.has(53) ? strict : lenient
        guard let members = body.objectValue else { throw Cinder.body(BodyFailure(.wrongType(["object"]), body)) }
        var rest = members
        if let hints = rest.removeValue(forKey: "OS-SCH-HNT:scheduler_hints"), !hints.isNull, hints != [:] {
            throw BlockStorageError.input(
                "Scheduler hints are not supported: leave 'OS-SCH-HNT:scheduler_hints' out.")
        }
        return try schema.read(.object(rest), under: "volume", version, wording: Cinder.body)
    }

    /// - Throws: ``APIError`` 400 for what does not go together.
    func asCommand() throws -> CreateVolume {
        var command = command
        if isMultiattach {
            throw APIError.badRequest(
                "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume "
                    + "types. Contact your administrator to create a multiattach enabled volume type and use it to "
                    + "create multiattach volumes.")
        }
        if let consistencyGroup {
            throw APIError.notFound("Group \(consistencyGroup) could not be found.")
        }
        if let backup { throw APIError.notFound("Backup \(backup) could not be found.") }
        command.zone = zone
        let sources: [CreateVolume.Source] = [
            snapshot.map { .snapshot($0) }, volume.map { .volume($0) }, image.map { .image($0) }
        ].compactMap { $0 }
        guard sources.count <= 1 else {
            throw BlockStorageError.input(
                "A volume is made from one source: give one of snapshot_id, source_volid and imageRef.")
        }
        command.source = sources.first ?? .empty
        return command
    }

    static let name = BodyFormat.text(0...255).nullable.map { text, _ in text.map { String($0.trimmingBlanks) } }
    static let id = BodyFormat.text(0...255, .uuid).nullable
    private static let zoneFormat = BodyFormat.text(1...255).nullable
    private static let text = BodyFormat.text(0...255).nullable
    private static let size = Cinder.size.nullable

    private static let fields: [BodyField<Self>] = [
        .given("name", \.command.name, name), .given("description", \.command.description, name),
        .given("display_name", \.command.name, name), .given("display_description", \.command.description, name),
        .given("volume_type", \.command.type, text),
        .given("metadata", \.command.metadata, Cinder.metadata.orNull([:])), .given("snapshot_id", \.snapshot, id),
        .given("source_volid", \.volume, id), .given("consistencygroup_id", \.consistencyGroup, id),
        .given("size", \.command.sizeGiB, size), .given("availability_zone", \.zone, zoneFormat),
        .given("multiattach", \.isMultiattach, Cinder.flag.orNull(false)), .given("image_id", \.image, text),
        .given("imageRef", \.image, imageRef), .given("group_id", \.group, text, since: 13),
        .given("backup_id", \.backup, id, since: 47)
    ]
    /// The last part of an address, or an id.
    private static let imageRef = text.map { text, _ in
        text.flatMap { $0.split(separator: "/").last.map(String.init) }
    }

    private static let strict = BodySchema(blank: Self(), fields)
    private static let lenient = BodySchema(blank: Self(), unknown: .kept(\.ignored), fields)
}

/// The `volume` of an update call.
enum UpdateVolumeBody {
    static func read(_ body: JSON, _ version: Microversion) throws -> VolumeCommands.Update {
        let update = try schema.read(body, under: "volume", version, wording: Cinder.body)
        if version.has(53), body["volume"]?.objectValue?.isEmpty ?? false {
            throw Cinder.body(BodyFailure(.noneFits, [:], path: ["volume"]))
        }
        return update
    }

    private static let schema = BodySchema(
        blank: VolumeCommands.Update(),
        [
            .optional("name", \.name, CreateVolumeBody.name),
            .optional("description", \.description, CreateVolumeBody.name),
            .optional("display_name", \.name, CreateVolumeBody.name),
            .optional("display_description", \.description, CreateVolumeBody.name),
            .optional("metadata", \.metadata, Cinder.metadata)
        ])
}
