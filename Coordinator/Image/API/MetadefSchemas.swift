import CoordinatorPlatform

/// The schema documents of metadata definitions; requests are checked against them.
enum MetadefSchemas {
    static let namespace = document(
        "namespace", required: ["namespace"], definitions: true,
        [
            "namespace": ImageSchemas.text("The namespace's name, unique in the cloud", limit: 80),
            "display_name": ImageSchemas.text("The name that people see", limit: 80),
            "description": ImageSchemas.text("What the namespace is for", limit: 500),
            "visibility": ["type": "string", "description": "Who sees it", "enum": ["public", "private"]],
            "protected": ["type": "boolean", "description": "Whether it is kept from being deleted"],
            "owner": ImageSchemas.text("The project that owns it", limit: 255),
            "created_at": created, "updated_at": updated, "schema": link, "self": link,
            "resource_type_associations": list(
                of: ["name": plain, "prefix": plain, "properties_target": plain], required: ["name"]),
            "properties": ["$ref": "#/definitions/property"],
            "objects": list(
                of: [
                    "name": plain, "description": plain, "required": ["$ref": "#/definitions/stringArray"],
                    "properties": ["$ref": "#/definitions/property"]
                ], required: ["name"]),
            "tags": list(of: ["name": plain], required: ["name"])
        ])
    static let namespaces = ImageSchemas.collection("namespaces", of: namespace)

    static let object = document(
        "object", required: ["name"], definitions: true,
        [
            "name": ["type": "string", "maxLength": 80], "description": plain,
            "required": ["$ref": "#/definitions/stringArray"], "properties": ["$ref": "#/definitions/property"],
            "schema": link, "self": link, "created_at": created, "updated_at": updated
        ])
    static let objects = ImageSchemas.collection("objects", of: object)

    static let property = document(
        "property", required: ["type", "title", "name"], definitions: true, propertyMembers)
    /// As the value of a member that is named like the property.
    static let namelessProperty = document(
        "property", required: ["type", "title"], definitions: true, propertyMembers)
    static let properties = ImageSchemas.collection("properties", of: namelessProperty, asObject: true)

    static let tag = document(
        "tag", required: ["name"], definitions: false,
        [
            "name": ["type": "string", "maxLength": 80], "created_at": created, "updated_at": updated
        ])
    static let tags = ImageSchemas.collection("tags", of: tag)
    /// What several tags are made from.
    static let newTags = document(
        "tags", required: [], definitions: false,
        [
            "tags": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["name"], "additionalProperties": false,
                    "properties": ["name": ["type": "string", "maxLength": 80]]
                ]
            ]
        ])

    static let association = document(
        "resource_type_association", required: ["name"], definitions: false,
        [
            "name": ImageSchemas.text("The type of resource, in the orchestration service's words", limit: 80),
            "prefix": ImageSchemas.text("Goes before properties' names, with its separator", limit: 80),
            "properties_target": ImageSchemas.text("Which of the resource's sets of properties is meant", limit: 80),
            "created_at": created, "updated_at": updated
        ])
    static let associations = ImageSchemas.collection("resource_type_associations", of: association)

    // MARK: - Parts

    private static let created = ImageSchemas.time("When it was made")
    private static let updated = ImageSchemas.time("When it last changed")
    private static let plain: JSON = ["type": "string"]
    private static let link: JSON = ["type": "string", "readOnly": true]
    private static let positive: JSON = ["$ref": "#/definitions/positiveInteger"]
    private static let positiveOrZero: JSON = ["$ref": "#/definitions/positiveIntegerDefault0"]
    private static let typeName: JSON = [
        "type": "string", "enum": ["array", "boolean", "integer", "number", "object", "string", nil]
    ]

    private static let propertyMembers: [String: JSON] = [
        "name": ["type": "string", "maxLength": 80], "title": plain, "description": plain,
        "operators": ["type": "array", "items": ["type": "string"]], "type": typeName,
        "required": ["$ref": "#/definitions/stringArray"], "minimum": ["type": "number"],
        "maximum": ["type": "number"], "maxLength": positive, "minLength": positiveOrZero,
        "pattern": ["type": "string", "format": "regex"], "enum": ["type": "array"],
        "readonly": ["type": "boolean"], "default": [:],
        "items": ["type": "object", "properties": ["type": typeName, "enum": ["type": "array"]]],
        "maxItems": positive, "minItems": positiveOrZero, "uniqueItems": ["type": "boolean", "default": false],
        "additionalItems": ["type": "boolean"]
    ]

    private static let definitions: JSON = [
        "positiveInteger": ["type": "integer", "minimum": 0],
        "positiveIntegerDefault0": ["allOf": [["$ref": "#/definitions/positiveInteger"], ["default": 0]]],
        "stringArray": ["type": "array", "items": ["type": "string"], "uniqueItems": true],
        "property": [
            "type": "object",
            "additionalProperties": [
                "type": "object", "required": ["title", "type"], "properties": .object(propertyMembers)
            ]
        ]
    ]

    private static func list(of members: [String: JSON], required: [String]) -> JSON {
        [
            "type": "array",
            "items": [
                "type": "object", "properties": .object(members), "required": .array(required.map(JSON.string))
            ]
        ]
    }

    private static func document(
        _ name: String, required: [String], definitions isUsed: Bool, _ properties: [String: JSON]
    ) -> JSON {
        var document: [String: JSON] = [
            "name": .string(name), "properties": .object(properties), "additionalProperties": false
        ]
        if !required.isEmpty { document["required"] = .array(required.map(JSON.string)) }
        if isUsed { document["definitions"] = definitions }
        return .object(document)
    }
}
