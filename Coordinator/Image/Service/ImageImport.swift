import CoordinatorPlatform
import ProtocolModel

/// What `POST .../import` asks for.
struct ImportRequest: Sendable {
    enum Method: Sendable, Hashable {
        case glanceDirect
        case webDownload(WebAddress)
        case copyImage

        var name: String {
            switch self {
            case .glanceDirect: "glance-direct"
            case .webDownload: "web-download"
            case .copyImage: "copy-image"
            }
        }

        var lane: ImportLane {
            switch self {
            case .webDownload: .download
            case .glanceDirect, .copyImage: .direct
            }
        }
    }

    var method: Method
    var isForAllStores: Bool
    /// The body as it came, for the task.
    var body: JSON
}

/// The names of properties that tell of imports (Glance's reserved namespace).
enum ImportProperty {
    static let task = "os_glance_import_task"
    static let pending = "os_glance_importing_to_stores"
    static let failed = "os_glance_failed_import"
}

extension ImageService {
    /// There is one store, the coordinator's disk.
    static let storeID = "default"

    /// In the order that clients show them.
    var importMethods: [String] {
        ["glance-direct"] + (settings.webDownload.hosts.isEmpty ? [] : ["web-download"]) + ["copy-image"]
    }

    /// Starts an import: the image is importing, and a durable job sees to it that this ends.
    func beginImport(
        _ request: ImportRequest, of id: String, as access: ImageAccess, requestID: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        var image = try find(id, caller: access.caller, in: transaction)
        try quota.require(.size, project: image.owner, adding: 0, in: transaction)
        try requireState(image, for: request.method, in: transaction)
        try access.require(request.method == .copyImage ? "copy_image" : "modify_image", on: image)
        if request.method == .copyImage { return try copy(&image, request, at: now, in: transaction) }
        let task = ImageTask(
            id: .random(), type: "api_image_import", image: image.id, owner: access.caller.project,
            user: access.caller.user, requestID: requestID,
            input: [
                "image_id": JSON(image.id.text), "import_req": request.body, "backend": [JSON(Self.storeID)]
            ],
            message: Self.waiting, lane: request.method.lane.rawValue, createdAt: now, updatedAt: now,
            deadline: now + settings.importWaitSeconds * 1_000_000)
        try ImageTask.table.insert(task, in: transaction)
        image.status = .importing
        image.properties[ImportProperty.task] = task.id.text
        image.properties[ImportProperty.pending] = Self.storeID
        image.properties[ImportProperty.failed] = ""
        image.updatedAt = now
        try store.update(image, in: transaction)
        if let reason = try overLimit(request.method, image.owner, in: transaction) {
            return try failImport(task.id, reason: reason, at: now, in: transaction)
        }
        try startImports(at: now, in: transaction)
    }

    /// A download takes a place among the uploads, and room where data is staged; what is staged has both already. As in
    /// Glance the request is taken all the same, and its task fails.
    private func overLimit(
        _ method: ImportRequest.Method, _ owner: ProjectID?, in reader: any SQLReader
    ) throws -> String? {
        guard method.lane == .download else { return nil }
        do {
            try quota.require(.staged, project: owner, adding: 0, in: reader)
            // The image counts itself by now.
            try quota.require(.uploading, project: owner, adding: 0, in: reader)
            return nil
        } catch let refusal as APIError {
            return refusal.message
        }
    }

    /// There is one store, and the image is in it.
    private func copy(
        _ image: inout Image, _ request: ImportRequest, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard request.isForAllStores else {
            throw APIError.badRequest("Image is already present at store '\(Self.storeID)'")
        }
        image.properties[ImportProperty.pending] = ""
        image.properties[ImportProperty.failed] = ""
        image.updatedAt = now
        try store.update(image, in: transaction)
    }

    private func requireState(
        _ image: Image, for method: ImportRequest.Method, in reader: any SQLReader
    ) throws {
        switch method {
        case .copyImage:
            guard image.status == .active else {
                throw APIError.conflict("Only images with status active can be targeted for copying")
            }
        case _ where image.status == .active:
            throw APIError.conflict("Image with status active cannot be target for import")
        case .webDownload:
            guard image.status == .queued else {
                throw APIError.conflict("Image needs to be in 'queued' state to use 'web-download' method")
            }
        case .glanceDirect:
            guard image.status == .uploading, try parts.part(of: image.id, .stage, in: reader)?.isComplete == true
            else {
                throw APIError.conflict("Image needs to be staged before 'glance-direct' method can be used")
            }
        }
        for (name, value) in [
            ("container_format", image.containerFormat), ("disk_format", image.diskFormat)
        ] where value == nil {
            throw APIError.conflict("'\(name)' needs to be set before import")
        }
    }

    // MARK: - Tasks

    /// - Throws: `UnknownMarker`, ``APIError`` 403.
    func tasks(_ query: ListQuery, as access: ImageAccess, in reader: any SQLReader) throws -> [ImageTask] {
        try access.require("tasks_api_access")
        return try ImageTask.list.records(ImageTask.table, query, in: reader)
    }

    /// - Throws: ``APIError`` 404 or 403.
    func task(_ id: String, as access: ImageAccess, in reader: any SQLReader) throws -> ImageTask {
        try access.require("tasks_api_access")
        guard let task = try ImageTaskID(id).flatMap({ try ImageTask.table.find($0, in: reader) }) else {
            throw APIError.notFound("Task not found \(id)")
        }
        return task
    }

    func tasks(of id: String, as access: ImageAccess, in reader: any SQLReader) throws -> [ImageTask] {
        try tasks.tasks(of: find(id, for: "get_image", as: access, in: reader).id, in: reader)
    }
}
