import CoordinatorPlatform

/// The schema documents of tasks.
enum TaskSchemas {
    static let task: JSON = ["name": "task", "additionalProperties": false, "properties": .object(properties)]

    /// Lists show neither what a task was given nor what came of it.
    static let tasks = ImageSchemas.collection(
        "tasks",
        of: [
            "name": "task", "additionalProperties": false,
            "properties": .object(properties.filter { !["input", "result", "message"].contains($0.key) })
        ])

    private static let properties: [String: JSON] = [
        "id": ImageSchemas.uuid("The task's identifier"),
        "type": [
            "type": "string", "description": "What the task does",
            "enum": ["import", "api_image_import", "location_import"]
        ],
        "status": [
            "type": "string", "description": "Where the task stands",
            "enum": ["pending", "processing", "success", "failure"]
        ],
        "input": ["type": ["null", "object"], "description": "What the task was given"],
        "result": ["type": ["null", "object"], "description": "What came of it"],
        "owner": ImageSchemas.text("The project that owns the task"),
        "message": ImageSchemas.text("Why it failed"), "image_id": ImageSchemas.text("The image it is about"),
        "request_id": ImageSchemas.text("The request that started it"),
        "user_id": ImageSchemas.text("The user who started it"),
        "expires_at": ["type": ["null", "string"], "description": "When the task is forgotten"],
        "created_at": ImageSchemas.text("When it was started"),
        "updated_at": ImageSchemas.text("When it last changed"), "self": ["readOnly": true, "type": "string"],
        "schema": ["readOnly": true, "type": "string"]
    ]
}
