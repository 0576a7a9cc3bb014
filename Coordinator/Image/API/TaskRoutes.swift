import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// Tasks: imports as they are told to people. The tasks API as such is the administrator's, as in Glance; everybody sees
/// those of an image that they see.
extension ImageAPI {
    private static let limitDefault = 25
    private static let limitMaximum = 1_000

    var taskRoutes: [Route] {
        [
            Route(.get, "/v2/tasks", handler: listTasks).asking("tasks_api_access"),
            Route(.post, "/v2/tasks", action: "image.task.create", handler: createTask).asking("tasks_api_access"),
            Route(.get, "/v2/tasks/{task_id}", handler: showTask).asking("tasks_api_access"),
            Route(.delete, "/v2/tasks/{task_id}", action: "image.task.delete", handler: deleteTask).asking(
                "tasks_api_access"),
            Route(.get, "/v2/images/{image_id}/tasks", handler: listImageTasks).asking("get_image")
        ]
    }

    private func listTasks(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(call).require("tasks_api_access")
        var filter = ImageTaskStore.Filter()
        filter.limit = try Self.limit(call)
        filter.status = call.query("status")
        filter.type = call.query("type")
        filter.sortKey = call.query("sort_key") ?? "created_at"
        let direction = call.query("sort_dir") ?? "desc"
        guard ["asc", "desc"].contains(direction) else {
            throw APIError.badRequest("Invalid sort direction: \(direction)")
        }
        filter.isDescending = direction == "desc"
        if let status = filter.status, ImageTask.Status(rawValue: status) == nil {
            throw APIError.badRequest("Invalid status value: \(status)")
        }
        if let type = filter.type, !["import", "api_image_import"].contains(type) {
            throw APIError.badRequest("Invalid type value: \(type)")
        }
        let marker = try Self.marker(call)
        let page = try await call.database.read { [service, filter] reader in
            var filter = filter
            if let marker {
                guard let task = try service.tasks.task(marker, in: reader) else {
                    throw APIError.badRequest("Task \(marker) could not be found.")
                }
                filter.marker = task
            }
            guard let tasks = try service.tasks.tasks(filter, in: reader) else {
                throw APIError.badRequest("Sort key supplied was not valid.")
            }
            return tasks
        }
        var body: [String: JSON] = [
            "tasks": .array(page.map { .object(Self.stub($0)) }), "schema": "/v2/schemas/tasks",
            "first": JSON(Self.link(call, marker: nil))
        ]
        if let last = page.last, page.count == filter.limit {
            body["next"] = JSON(Self.link(call, marker: last.id))
        }
        return .json(.object(body))
    }

    private static func limit(_ call: APICall) throws -> Int {
        guard let text = call.query("limit") else { return limitDefault }
        guard let limit = Int(text) else { throw APIError.badRequest("limit param must be an integer") }
        guard limit >= 0 else { throw APIError.badRequest("limit param must be positive") }
        return min(limit, limitMaximum)
    }

    private static func marker(_ call: APICall) throws -> ImageTaskID? {
        guard let text = call.query("marker"), !text.isEmpty else { return nil }
        guard let marker = ImageTaskID(text) else { throw APIError.badRequest("Invalid marker format") }
        return marker
    }

    private static func link(_ call: APICall, marker: ImageTaskID?) -> String {
        var items = call.query.filter { $0.name != "marker" }.map { name, value in
            PercentCoding.encode(name) + "=" + PercentCoding.encode(value)
        }
        if let marker { items.append("marker=\(marker)") }
        return "/v2/tasks" + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }

    /// The older way to import. It is on its way out in Glance, and images are made and imported without it.
    private func createTask(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(call).require("tasks_api_access")
        let body = try await call.json()
        for name in ["type", "input"] where body[name] == nil {
            throw APIError.badRequest("Task '\(name)' is required")
        }
        guard let uri = body["input"]?["import_from"]?.stringValue else {
            throw APIError.badRequest("Input does not contain 'import_from' field")
        }
        throw APIError.badRequest(
            """
            Tasks of type 'import' are not taken, so '\(uri.prefix(80))' is not fetched: create an image and use \
            POST /v2/images/{image_id}/import.
            """)
    }

    private func showTask(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(call).require("tasks_api_access")
        let text = call.parameter("task_id")
        let task = try await call.database.read { [service] reader in
            try ImageTaskID(text).flatMap { try service.tasks.task($0, in: reader) }
        }
        guard let task else { throw APIError.notFound("Task not found \(text)") }
        return .json(.object(Self.view(task)))
    }

    private func deleteTask(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(call).require("tasks_api_access")
        throw APIError(
            status: 405,
            message: """
                This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time \
                based on their expires_at property.
                """, headers: [(name: "Allow", value: "GET")])
    }

    private func listImageTasks(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        let tasks = try await call.database.read { [service] reader in
            let image = try service.find(id, for: "get_image", as: access, in: reader)
            return try service.tasks.tasks(of: image.id, in: reader)
        }
        return .json(["tasks": .array(tasks.map { .object(Self.ofImage($0)) })])
    }

    private static func stub(_ task: ImageTask) -> [String: JSON] {
        var view: [String: JSON] = [
            "id": JSON(task.id.text), "type": JSON(task.type), "status": JSON(task.status.rawValue),
            "owner": JSON(task.owner?.compact ?? ""), "created_at": JSON(Timestamp.seconds(task.createdAt)),
            "updated_at": JSON(Timestamp.seconds(task.updatedAt)), "self": JSON("/v2/tasks/\(task.id)"),
            "schema": "/v2/schemas/task"
        ]
        if let end = task.expiresAt { view["expires_at"] = JSON(Timestamp.seconds(end)) }
        return view
    }

    private static func view(_ task: ImageTask) -> [String: JSON] {
        var view = stub(task)
        view["input"] = task.input
        view["result"] = task.result
        view["message"] = JSON(task.message)
        view["image_id"] = JSON(task.image.text)
        view["request_id"] = JSON(task.requestID)
        view["user_id"] = JSON(task.user.compact)
        return view
    }

    /// Glance gives these as its database has them: without links, with the times in their own form.
    private static func ofImage(_ task: ImageTask) -> [String: JSON] {
        var view = view(task)
        for name in ["self", "schema"] { view[name] = nil }
        view["expires_at"] = view["expires_at"] ?? .null
        view["deleted"] = false
        view["deleted_at"] = .null
        return view
    }
}

extension HTTPField.Name {
    /// Which store data is for.
    static var imageStore: Self { Self("X-Image-Meta-Store") ?? .accept }
}
