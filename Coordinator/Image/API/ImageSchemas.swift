import CoordinatorPlatform

/// The schema documents of images and members: what clients read to tell base properties from additional ones, and
/// what ``ImageFields`` enforces.
enum ImageSchemas {
    /// What an image may be made of. Others cannot be used by any host, so they are refused at once.
    static let diskFormats = ["raw", "qcow2", "vmdk", "vhd", "vhdx", "iso"]
    static let containerFormats = ["bare"]

    static let image: JSON = [
        "name": "image", "properties": .object(properties.merging(custom) { base, _ in base }),
        "additionalProperties": ["type": "string"],
        "links": [
            ["rel": "self", "href": "{self}"], ["rel": "enclosure", "href": "{file}"],
            ["rel": "describedby", "href": "{schema}"]
        ]
    ]
    static let images = collection("images", of: image)

    static let member: JSON = [
        "name": "member", "additionalProperties": false,
        "properties": [
            "member_id": text("The project that the image is shared with"), "image_id": uuid("The shared image"),
            "created_at": text("When the image was shared"), "updated_at": text("When the member last changed"),
            "status": [
                "type": "string", "description": "What the member says to it",
                "enum": ["pending", "accepted", "rejected"]
            ],
            "schema": ["readOnly": true, "type": "string"]
        ]
    ]
    static let members = collection("members", of: member)

    /// - Parameter item: A schema; its definitions move to the collection's root, where `$ref` finds them.
    static func collection(_ name: String, of item: JSON, asObject: Bool = false) -> JSON {
        var inner = item.objectValue ?? [:]
        let definitions = inner.removeValue(forKey: "definitions")
        let list: JSON =
            asObject
            ? ["type": "object", "additionalProperties": .object(inner)] : ["type": "array", "items": .object(inner)]
        var document: [String: JSON] = [
            "name": .string(name),
            "properties": .object([
                name: list, "first": ["type": "string"], "next": ["type": "string"], "schema": ["type": "string"]
            ]),
            "links": [
                ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"],
                ["rel": "describedby", "href": "{schema}"]
            ]
        ]
        document["definitions"] = definitions
        return .object(document)
    }

    static func text(_ description: String, limit: Int64? = nil, readOnly: Bool = false) -> JSON {
        var schema: [String: JSON] = ["type": "string", "description": .string(description)]
        if let limit { schema["maxLength"] = .int(limit) }
        if readOnly { schema["readOnly"] = true }
        return .object(schema)
    }

    static func time(_ description: String) -> JSON {
        ["type": "string", "readOnly": true, "format": "date-time", "description": .string(description)]
    }

    static func uuid(_ description: String) -> JSON {
        let digits = { (count: Int) in "([0-9a-fA-F]){\(count)}" }
        let pattern = [8, 4, 4, 4, 12].map(digits).joined(separator: "-")
        return ["type": "string", "description": .string(description), "pattern": .string("^\(pattern)$")]
    }

    private static func nullable(
        _ type: String, _ description: String, limit: Int64? = nil, readOnly: Bool = false
    ) -> JSON {
        let plain = text(description, limit: limit, readOnly: readOnly).objectValue ?? [:]
        return .object(plain.merging(["type": ["null", .string(type)]]) { $1 })
    }

    private static func format(_ description: String, _ names: [String]) -> JSON {
        [
            "type": ["null", "string"], "description": .string(description),
            "enum": .array([.null] + names.map(JSON.string))
        ]
    }

    /// Properties that every cloud knows although the service does not use them.
    private static let custom: [String: JSON] = {
        let descriptions = [
            "kernel_id": "The image of the kernel to boot with", "ramdisk_id": "The image of the initial RAM disk",
            "instance_uuid": "The server that the image was made from", "architecture": "The processor it is for",
            "os_distro": "The distribution's name in lower case", "os_version": "The distribution's version"
        ]
        return descriptions.mapValues { ["type": "string", "is_base": false, "description": .string($0)] }
    }()

    static let properties: [String: JSON] = [
        "id": uuid("The image's identifier"),
        "name": nullable("string", "A name for people", limit: 255),
        "status": [
            "type": "string", "readOnly": true, "description": "Where the image stands",
            "enum": [
                "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete",
                "deactivated"
            ]
        ],
        "visibility": [
            "type": "string", "description": "Who can see the image",
            "enum": ["community", "public", "private", "shared"]
        ],
        "protected": ["type": "boolean", "description": "Whether the image is kept from being deleted"],
        "os_hidden": ["type": "boolean", "description": "Whether the image is left out of lists by default"],
        "checksum": nullable("string", "MD5 of the data", limit: 32, readOnly: true),
        "os_hash_algo": nullable("string", "How os_hash_value is computed", limit: 64, readOnly: true),
        "os_hash_value": nullable("string", "Hash of the data, hexadecimal", limit: 128, readOnly: true),
        "owner": nullable("string", "The project that owns the image", limit: 255),
        "size": nullable("integer", "Length of the data in bytes", readOnly: true),
        "virtual_size": nullable("integer", "Size of the disk that a guest sees in bytes", readOnly: true),
        "container_format": format("What the disk is wrapped in", containerFormats),
        "disk_format": format("What the data is", diskFormats),
        "created_at": text("When the image was registered", readOnly: true),
        "updated_at": text("When the image last changed", readOnly: true),
        "tags": [
            "type": "array", "description": "Words that belong to the image",
            "items": ["type": "string", "maxLength": 255]
        ],
        "direct_url": text("Where the data is kept, if the operator shows it", readOnly: true),
        "min_ram": ["type": "integer", "description": "MiB of memory that a guest needs"],
        "min_disk": ["type": "integer", "description": "GiB of disk that a guest needs"],
        "self": text("The image's path", readOnly: true),
        "file": text("The data's path", readOnly: true),
        "stores": text("Where the data is kept, names separated by commas", readOnly: true),
        "schema": text("The path of this schema", readOnly: true),
        "locations": [
            "type": "array", "description": "All places where the data is kept, if the operator shows them",
            "items": [
                "type": "object", "required": ["url", "metadata"],
                "properties": ["url": ["type": "string", "maxLength": 255], "metadata": ["type": "object"]]
            ]
        ]
    ]
}
