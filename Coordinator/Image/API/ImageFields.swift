import CoordinatorPlatform
import ProtocolModel

/// Reads what clients may set on an image, one field at a time, for create and update alike.
enum ImageFields {
    static let readOnly: Set<String> = [
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file",
        "schema",
        "id", "os_hash_algo", "os_hash_value", "stores"
    ]
    static let reserved: Set<String> = ["location", "locations", "deleted", "deleted_at"]
    static let base: Set<String> = [
        "name", "visibility", "protected", "os_hidden", "owner", "disk_format", "container_format", "min_disk",
        "min_ram",
        "tags"
    ]
    static let diskFormats = ["raw", "qcow2", "iso"]
    static let containerFormats = ["bare"]
    static let propertyLimit = 128
    static let tagLimit = 128

    /// - Throws: ``APIError`` 400 in the words of the service's schema check, 403 for read-only attributes.
    static func set(_ name: String, _ value: JSON, on image: inout Image) throws {
        if readOnly.contains(name) { throw APIError.forbidden("Attribute '\(name)' is read-only.") }
        if reserved.contains(name) { throw APIError.forbidden("Attribute '\(name)' is reserved.") }
        switch name {
        case "name": image.name = try text(value, name, limit: 255)
        case "visibility": image.visibility = try visibility(value)
        case "protected": image.isProtected = try flag(value, name)
        case "os_hidden": image.isHidden = try flag(value, name)
        case "owner": image.owner = try owner(value)
        case "disk_format": try setFormat(value, name, allowed: diskFormats, on: &image, \.diskFormat)
        case "container_format": try setFormat(value, name, allowed: containerFormats, on: &image, \.containerFormat)
        case "min_disk": image.minDiskGiB = try count(value, name)
        case "min_ram": image.minMemoryMiB = try count(value, name)
        case "tags": image.tags = try tags(value)
        default: try setProperty(name, value, on: &image)
        }
    }

    static func tag(_ text: String) throws -> String {
        guard text.unicodeScalars.count <= 255 else { throw invalid("tags", "\(text) is too long") }
        return text
    }

    static func invalid(_ name: String, _ reason: String) -> APIError {
        .badRequest("Provided object does not match schema 'image': \(reason). Failed validating property '\(name)'.")
    }

    private static func setFormat(
        _ value: JSON, _ name: String, allowed: [String], on image: inout Image,
        _ field: WritableKeyPath<Image, String?>
    ) throws {
        if !value.isNull {
            guard let format = value.stringValue, allowed.contains(format) else {
                throw invalid(name, "\(shown(value)) is not one of [None, \(allowed.joined(separator: ", "))]")
            }
        }
        if image.status != .queued, image[keyPath: field] != value.stringValue {
            throw APIError.forbidden("Attribute \(name) can be only replaced for a queued image.")
        }
        image[keyPath: field] = value.stringValue
    }

    private static func setProperty(_ name: String, _ value: JSON, on image: inout Image) throws {
        guard !name.isEmpty, name.unicodeScalars.count <= 255 else {
            throw APIError.badRequest("Custom property should not be greater than 255 characters.")
        }
        guard !name.hasPrefix("os_glance") else {
            throw APIError.forbidden("Attribute '\(name)' is reserved.")
        }
        guard let text = value.stringValue else { throw invalid(name, "\(shown(value)) is not of type 'string'") }
        guard text.utf8.count <= 65_535 else { throw invalid(name, "the value is longer than 65535 bytes") }
        image.properties[name] = text
        guard image.properties.count <= propertyLimit else {
            throw APIError(
                status: 413,
                message: "The limit has been exceeded on the number of allowed image properties. "
                    + "Attempted: \(image.properties.count), Maximum: \(propertyLimit)")
        }
    }

    private static func text(_ value: JSON, _ name: String, limit: Int) throws -> String? {
        if value.isNull { return nil }
        guard let text = value.stringValue else {
            throw invalid(name, "\(shown(value)) is not of type 'null', 'string'")
        }
        guard text.unicodeScalars.count <= limit else { throw invalid(name, "the value is too long") }
        return text
    }

    private static func visibility(_ value: JSON) throws -> Image.Visibility {
        guard let text = value.stringValue, let visibility = Image.Visibility(rawValue: text) else {
            throw invalid("visibility", "\(shown(value)) is not one of ['community', 'public', 'private', 'shared']")
        }
        return visibility
    }

    private static func flag(_ value: JSON, _ name: String) throws -> Bool {
        guard let flag = value.boolValue else { throw invalid(name, "\(shown(value)) is not of type 'boolean'") }
        return flag
    }

    private static func count(_ value: JSON, _ name: String) throws -> Int {
        guard let count = value.intValue else { throw invalid(name, "\(shown(value)) is not of type 'integer'") }
        guard (0...Int64(Int32.max)).contains(count) else {
            throw invalid(name, "\(count) is not between 0 and \(Int32.max)")
        }
        return Int(count)
    }

    private static func owner(_ value: JSON) throws -> ProjectID? {
        if value.isNull { return nil }
        guard let text = value.stringValue, let id = ProjectID(text) else {
            throw invalid("owner", "\(shown(value)) is not a project's id")
        }
        return id
    }

    private static func tags(_ value: JSON) throws -> [String] {
        guard let items = value.arrayValue else { throw invalid("tags", "\(shown(value)) is not of type 'array'") }
        let tags = try items.map { item in
            guard let text = item.stringValue else { throw invalid("tags", "\(shown(item)) is not of type 'string'") }
            return try tag(text)
        }
        let unique = Set(tags).sorted()
        guard unique.count <= tagLimit else {
            throw APIError(
                status: 413,
                message: "The limit has been exceeded on the number of allowed image tags. "
                    + "Attempted: \(unique.count), Maximum: \(tagLimit)")
        }
        return unique
    }

    /// At most a line of the value that was wrong.
    private static func shown(_ value: JSON) -> String {
        let text = value.text
        return text.count > 80 ? String(text.prefix(80)) + "..." : text
    }
}
