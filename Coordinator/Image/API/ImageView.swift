import CoordinatorPlatform
import ProtocolModel

/// Images as the Image API shows them to one caller (API reference, "Show image").
struct ImageView {
    private let settings: ImageMetadataSettings
    private let guards: PropertyGuard
    private let isAdmin: Bool

    init(_ settings: ImageMetadataSettings, _ access: ImageAccess) {
        self.settings = settings
        guards = PropertyGuard(settings.propertyProtections, access.permissions)
        isAdmin = access.caller.isAdmin
    }

    func render(_ image: Image) -> JSON {
        var body: [String: JSON] = [:]
        body.reserveCapacity(image.properties.count + 26)
        for (name, value) in image.properties where guards.allows(.read, name) { body[name] = .string(value) }
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
        addPlaces(of: image, to: &body)
        return .object(body)
    }

    private func addPlaces(of image: Image, to body: inout [String: JSON]) {
        if image.sha512 != nil { body["stores"] = .string(ImageService.storeID) }
        guard settings.showsLocations || settings.showsDirectURL else { return }
        // While an image is out of use, only administrators learn where it lies.
        let isShown = image.status != .deactivated || isAdmin
        let url = isShown ? image.sha512.map { "skerry://images/\($0)" } : nil
        if settings.showsLocations {
            body["locations"] = .array(url.map { [["url": .string($0), "metadata": [:]]] } ?? [])
        }
        if settings.showsDirectURL, let url { body["direct_url"] = .string(url) }
    }
}
