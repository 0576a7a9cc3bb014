import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// `os-volume_upload_image`: a volume becomes an image.
extension VolumeActionRoutes {
    private struct Wish: Sendable {
        var upload = VolumeUploading.Wish()
        var visibility: Image.Visibility?

        static let schema = BodySchema(
            blank: Wish(),
            [
                .required("image_name", \.upload.name, .text(1...255)), .given("force", \.upload.isForced, Cinder.flag),
                .given("disk_format", \.upload.format, format),
                .given("container_format", \.container, BodyFormat.word(of: ["bare"])),
                .given("visibility", \.visibility, visibility, since: 1),
                .given("protected", \.upload.isProtected, Cinder.flag, since: 1)
            ])
        /// What it is packed in: nothing.
        var container = "bare"

        private static let format = BodyFormat.word(of: ["raw", "qcow2"])
            .map { word, _ in ImageSpec.DiskFormat(rawValue: word) ?? .raw }
        private static let visibility = BodyFormat.word(of: ["community", "public", "private", "shared"])
            .map { word, _ in Image.Visibility(rawValue: word) }
    }

    func upload(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let read = try Wish.schema.read(
            ["os-volume_upload_image": argument], under: "os-volume_upload_image", call.microversion,
            wording: Cinder.body)
        var wish = read.upload
        wish.visibility = read.visibility ?? (call.microversion.has(1) ? .private : .shared)
        let (wanted, uploading) = (wish, VolumeUploading(parts: parts))
        let begun = try await call.write(target: { _ in call.parameter("id") }) {
            try uploading.upload(call.parameter("id"), wanted, origin: origin, in: $0)
        }
        var out: [String: JSON] = [
            "id": .string(begun.volume.id.text), "status": .string(begun.volume.status.rawValue),
            "updated_at": volumeTime(begun.volume.updatedAt), "display_description": JSON(begun.volume.description),
            "size": JSON(begun.volume.sizeGiB), "volume_type": begun.type.map(Self.render) ?? .null,
            "image_id": .string(begun.image.text), "image_name": .string(wanted.name), "container_format": "bare",
            "disk_format": .string(wanted.format.rawValue)
        ]
        if call.microversion.has(1) {
            out["visibility"] = .string(wanted.visibility.rawValue)
            out["protected"] = .bool(wanted.isProtected)
        }
        return .json(["os-volume_upload_image": .object(out)], status: 202)
    }

    private static func render(_ type: VolumeType) -> JSON {
        [
            "id": .string(type.id.text), "name": .string(type.name), "description": JSON(type.description),
            "is_public": .bool(type.isPublic), "qos_specs_id": JSON(type.qosSpecs?.text),
            "created_at": volumeTime(type.createdAt), "updated_at": volumeTime(type.updatedAt), "deleted": false,
            "deleted_at": .null
        ]
    }
}
