import CoordinatorPlatform

/// The schema documents that clients read to tell base properties from additional ones.
enum ImageSchemas {
    static let image: JSON = [
        "name": "image",
        "properties": .object(properties),
        "additionalProperties": ["type": "string"],
        "links": [
            ["rel": "self", "href": "{self}"], ["rel": "enclosure", "href": "{file}"],
            ["rel": "describedby", "href": "{schema}"]
        ]
    ]

    static let images: JSON = [
        "name": "images",
        "properties": [
            "images": ["type": "array", "items": image], "first": ["type": "string"], "next": ["type": "string"],
            "schema": ["type": "string"]
        ],
        "links": [
            ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"],
            ["rel": "describedby", "href": "{schema}"]
        ]
    ]

    private static let properties: [String: JSON] = {
        var all: [String: JSON] = [
            "name": ["type": ["null", "string"], "maxLength": 255],
            "visibility": ["type": "string", "enum": ["community", "public", "private", "shared"]],
            "protected": ["type": "boolean"], "os_hidden": ["type": "boolean"],
            "owner": ["type": ["null", "string"], "maxLength": 255],
            "disk_format": [
                "type": ["null", "string"], "enum": .array([.null] + ImageFields.diskFormats.map(JSON.string))
            ],
            "container_format": [
                "type": ["null", "string"], "enum": .array([.null] + ImageFields.containerFormats.map(JSON.string))
            ],
            "min_disk": ["type": "integer"], "min_ram": ["type": "integer"],
            "tags": ["type": "array", "items": ["type": "string", "maxLength": 255]]
        ]
        for name in [
            "id", "status", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self", "file",
            "schema"
        ] {
            all[name] = ["type": ["null", "string"], "readOnly": true]
        }
        for name in ["size", "virtual_size"] { all[name] = ["type": ["null", "integer"], "readOnly": true] }
        return all
    }()
}
