import CoordinatorPlatform
import ProtocolModel

/// An image as the Image API shows it (API reference, "Show image").
enum ImageBody {
    static func render(_ image: Image) -> JSON {
        var body: [String: JSON] = [:]
        for (name, value) in image.properties { body[name] = .string(value) }
        body["id"] = JSON(image.id.text)
        body["name"] = JSON(image.name)
        body["status"] = JSON(image.status.rawValue)
        body["visibility"] = JSON(image.visibility.rawValue)
        body["protected"] = JSON(image.isProtected)
        body["os_hidden"] = JSON(image.isHidden)
        body["owner"] = JSON(image.owner?.compact)
        body["disk_format"] = JSON(image.diskFormat)
        body["container_format"] = JSON(image.containerFormat)
        body["min_disk"] = JSON(image.minDiskGiB)
        body["min_ram"] = JSON(image.minMemoryMiB)
        body["size"] = image.sizeBytes.map(JSON.int) ?? .null
        body["virtual_size"] = image.virtualSizeBytes.map(JSON.int) ?? .null
        body["checksum"] = JSON(image.checksum)
        body["os_hash_algo"] = image.sha512 == nil ? .null : "sha512"
        body["os_hash_value"] = JSON(image.sha512)
        body["tags"] = .array(image.tags.map(JSON.string))
        body["created_at"] = JSON(Timestamp.seconds(image.createdAt))
        body["updated_at"] = JSON(Timestamp.seconds(image.updatedAt))
        body["self"] = JSON("/v2/images/\(image.id)")
        body["file"] = JSON("/v2/images/\(image.id)/file")
        body["schema"] = "/v2/schemas/image"
        return .object(body)
    }
}
