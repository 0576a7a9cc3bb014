import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// Tasks: imports as they are told to people. The tasks API as such is the administrator's, as in Glance; everybody sees
/// those of an image that they see.
extension ImageAPI {
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

    private static let tasks = ListDialect.glance(
        path: "/v2/tasks", schema: "tasks", limitDefault: 25, limitMaximum: 1_000, ending: ["id"], sortKeys: nil,
        unknownMarker: {
            ImageTaskID($0) == nil
                ? .badRequest("Invalid marker format") : .badRequest("Task \($0) could not be found.")
        })

    private func listTasks(_ call: APICall) async throws -> APIResponse {
        let query = try Self.tasks.read(call, ImageTask.list)
        for filter in query.filters {
            let known =
                filter.name == "status"
                ? ImageTask.Status.allCases.map(\.rawValue) : ["import", "api_image_import"]
            for value in filter.values where !known.contains(value) {
                throw APIError.badRequest("Invalid \(filter.name) value: \(value)")
            }
        }
        let tasks = try await read(call) { access, reader in
            try Self.tasks.found { try service.tasks(query, as: access, in: reader) }
        }
        let page = ListPage(collection: "tasks", identities: tasks.map(\.id.text), query: query)
        return Self.tasks.answer(page, tasks.map { .object(Self.stub($0)) }, call)
    }

    /// The older way to import. It is on its way out in Glance, and images are made and imported without it.
    private func createTask(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(try call.permissions()).require("tasks_api_access")
        let uri = try Self.newTask.read(try await call.json(), wording: Self.wording)
        throw APIError.badRequest(
            """
            Tasks of type 'import' are not taken, so '\(uri.prefix(80))' is not fetched: create an image and use \
            POST /v2/images/{image_id}/import.
            """)
    }

    private static let newTask = BodySchema(
        blank: "", unknown: .ignored,
        [
            .required("type", \.self, BodyFormat.any.map { _, _ in "" }),
            .required(
                "input", \.self,
                BodySchema(blank: "", unknown: .ignored, [.required("import_from", \.self, .text())]).format())
        ])

    private static let wording = GlanceBody.wording { failure in
        guard case .missing(let name) = failure.reason, failure.path.isEmpty else {
            return "Input does not contain 'import_from' field"
        }
        return "Task '\(name)' is required"
    }

    private func showTask(_ call: APICall) async throws -> APIResponse {
        let task = try await read(call) { try service.task(call.parameter("task_id"), as: $0, in: $1) }
        return .json(.object(Self.view(task)))
    }

    private func deleteTask(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(try call.permissions()).require("tasks_api_access")
        throw APIError(
            status: 405,
            message: """
                This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time \
                based on their expires_at property.
                """, headers: [(name: "Allow", value: "GET")])
    }

    private func listImageTasks(_ call: APICall) async throws -> APIResponse {
        let tasks = try await read(call) { try service.tasks(of: call.parameter("image_id"), as: $0, in: $1) }
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
