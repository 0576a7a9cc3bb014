import CoordinatorPlatform
import ProtocolModel

/// Reads what clients may set on an image, one field at a time, for create and update alike.
enum ImageFields {
    static let readOnly: Set<String> = [
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file",
        "schema", "id", "os_hash_algo", "os_hash_value", "stores"
    ]
    /// Refused whatever their value; the other read-only ones only where they have the right type.
    static let disallowed = ["direct_url", "self", "file", "schema", "stores"]
    static let reserved: Set<String> = ["location", "deleted", "deleted_at"]
    /// Names that begin so are the service's own.
    static let reservedPrefix = "os_glance"
    static let base: Set<String> = [
        "name", "visibility", "protected", "os_hidden", "owner", "disk_format", "container_format", "min_disk",
        "min_ram", "tags"
    ]
    private static let schema = JSONSchema(ImageSchemas.image)

    /// - Throws: ``APIError`` 400 in the words of the service's schema check.
    static func validate(_ body: JSON) throws {
        do { try schema.validate(body) } catch { throw wording(error) }
        // The schema says only that it is a string with a pattern.
        if let id = body["id"], id.stringValue.flatMap({ ImageID($0) }) == nil || id.stringValue?.utf8.count != 36 {
            throw wording(BodyFailure(.pattern(pattern), id, path: ["id"]))
        }
    }

    private static let wording = GlanceBody.wording("image")
    private static let pattern = ImageSchemas.properties["id"]?["pattern"]?.stringValue ?? ""

    /// A value that ``validate(_:)`` has passed, unless it is a property.
    /// - Throws: ``APIError`` 403 for attributes that are not the client's, 400 for values that make no sense.
    static func set(_ name: String, _ value: JSON, on image: inout Image) throws {
        if readOnly.contains(name) { throw APIError.forbidden("Attribute '\(name)' is read-only.") }
        try refuseReserved(name)
        switch name {
        case "name": image.name = value.stringValue
        case "visibility":
            guard let visibility = value.stringValue.flatMap(Image.Visibility.init(rawValue:)) else {
                throw wording(BodyFailure(.noneFits, value, path: [name]))
            }
            image.visibility = visibility
        case "protected": image.isProtected = value == true
        case "os_hidden": image.isHidden = value == true
        case "owner": image.owner = try owner(value)
        case "disk_format": try setFormat(value, name, on: &image, \.diskFormat)
        case "container_format": try setFormat(value, name, on: &image, \.containerFormat)
        case "min_disk": image.minDiskGiB = try count(value, name)
        case "min_ram": image.minMemoryMiB = try count(value, name)
        case "tags": image.tags = Set(value.arrayValue?.compactMap(\.stringValue) ?? []).sorted()
        default: try setProperty(name, value, on: &image)
        }
    }

    static func refuseReserved(_ name: String) throws {
        if reserved.contains(name) || name.hasPrefix(reservedPrefix) {
            throw APIError.forbidden("Attribute '\(name)' is reserved.")
        }
    }

    private static func setFormat(
        _ value: JSON, _ name: String, on image: inout Image, _ field: WritableKeyPath<Image, String?>
    ) throws {
        if image.status != .queued, image.status != .importing {
            throw APIError.forbidden("Attribute \(name) can be only replaced for a queued image.")
        }
        image[keyPath: field] = value.stringValue
    }

    private static func setProperty(_ name: String, _ value: JSON, on image: inout Image) throws {
        guard !name.isEmpty, name.unicodeScalars.count <= 255 else {
            throw APIError.badRequest("Custom property should not be greater than 255 characters.")
        }
        guard let text = value.stringValue else {
            throw wording(BodyFailure(.wrongType(["string"]), value, path: [name]))
        }
        guard text.utf8.count <= 65_535 else {
            throw APIError.badRequest("The value of property '\(name)' is longer than 65535 bytes.")
        }
        image.properties[name] = text
    }

    private static func count(_ value: JSON, _ name: String) throws -> Int {
        let count: Int64? =
            switch value {
            case .int(let number): number
            case .double(let number): Int64(exactly: number)
            default: nil
            }
        guard let count, count >= 0 else {
            throw APIError.badRequest(
                "Invalid value '\(value.pythonText)' for parameter '\(name)': Cannot be a negative value")
        }
        guard count <= Int64(Int32.max) else {
            throw APIError.badRequest("'\(name)' value out of range, must not exceed \(Int32.max).")
        }
        return Int(count)
    }

    private static func owner(_ value: JSON) throws -> ProjectID? {
        if value.isNull { return nil }
        guard let id = value.stringValue.flatMap({ ProjectID($0) }) else {
            throw APIError.badRequest("Owner '\(value.pythonText)' is not a project's id.")
        }
        return id
    }
}
