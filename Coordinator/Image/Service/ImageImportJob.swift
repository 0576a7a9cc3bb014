import CoordinatorPlatform
import ProtocolModel

/// The durable job behind an import: fetch, convert, store. Each step can be cut off at any point and repeated; what is
/// in the way of a step for good ends the import, and the image is queued again.
struct ImageImportJob: Sendable {
    let service: ImageService
    let fetcher: any ImageFetcher
    let converter: any ImageConverter

    /// The same work for each lane: the engine runs so many jobs of a kind at a time.
    var jobKinds: [JobKind] {
        ImportLane.allCases.map { lane in
            JobKind(
                name: lane.rawValue,
                steps: [
                    step("fetch", fetch), step("convert", convert), step("store", store)
                ],
                ended: { context, outcome, transaction in
                    try fail(context, outcome, in: transaction)
                    try service.startImports(at: context.now, in: transaction)
                })
        }
    }

    /// One step under the task's deadline. There is nothing to undo: ``fail(_:_:in:)`` drops all parts at once.
    private func step(
        _ name: String, _ work: @escaping @Sendable (ImageTask, Image) async throws -> Void
    ) -> JobStep {
        JobStep(
            name,
            run: { context in
                guard let (task, image) = try await begin(context) else { return }
                do {
                    try await Deadline.run(until: task.deadline, clock: service.clock) { try await work(task, image) }
                } catch {
                    throw Self.judged(error)
                }
            },
            undo: { _ in })
    }

    /// - Returns: `nil` when the import has ended well already, and only the job did not learn of it.
    private func begin(_ context: JobContext) async throws -> (ImageTask, Image)? {
        guard let id = Self.task(context) else {
            throw PermanentJobFailure("the job names no task")
        }
        return try await service.database.write { transaction in
            guard let task = try ImageTask.table.find(id, in: transaction) else {
                throw PermanentJobFailure("the task is gone")
            }
            if task.status == .success { return nil }
            guard let image = try service.store.image(task.image, in: transaction), image.status == .importing,
                image.properties[ImportProperty.task] == id.text
            else { throw PermanentJobFailure("the image was deleted") }
            // Nothing but for jobs of older releases, which waited in the engine: their time begins here.
            try service.begin(id, at: context.now, in: transaction)
            return try ImageTask.table.find(id, in: transaction).map { ($0, image) }
        }
    }

    /// What comes in from the web becomes the staged part; staged data is one already.
    private func fetch(_ task: ImageTask, _ image: Image) async throws {
        let now = service.clock.now()
        let staged = try await found(.stage, of: image)
        if let staged, staged.isComplete {
            // Said before anything is converted, and again where it counts.
            return try await service.database.read {
                try requireRoom(for: task, image, bytes: staged.sizeBytes, in: $0)
            }
        }
        guard let method = task.input["import_req"]?["method"], let text = method["uri"]?.stringValue else {
            throw PermanentJobFailure("the staged data is gone")
        }
        // The operator may have changed the list since the request.
        try await service.database.read { try requireRoomForDownload(image, replacing: staged, in: $0) }
        let address = try WebAddress(text, allowed: service.settings.webDownload)
        let part = ImagePart(
            image: image.id, kind: .stage, file: ImagePart.newFile(.random()), sizeBytes: 0, isComplete: false,
            updatedAt: now)
        try await put(part, for: task)
        if let staged { await service.blobs.remove(part: staged.file) }
        let writer = BlobWriter(store: service.blobs, file: part.file)
        try await fetcher.fetch(address, limit: service.settings.sizeLimit) { try await writer.append($0) }
        try await complete(part, try await writer.finish())
    }

    /// What was staged had a limit of its own and counts among the images' data from now on. What is downloaded or
    /// uploaded is only refused where there is too much already, since nobody knows its size before.
    private func requireRoom(for task: ImageTask, _ image: Image, bytes: Int64, in reader: any SQLReader) throws {
        guard task.input["import_req"]?["method"]?["name"] == "glance-direct" else { return }
        try service.quota.require(.size, project: image.owner, adding: bytes >> 20, in: reader)
    }

    /// The project may have used its room up while the download waited for its turn.
    private func requireRoomForDownload(_ image: Image, replacing staged: ImagePart?, in reader: any SQLReader) throws {
        try service.quota.require(.size, project: image.owner, adding: 0, in: reader)
        try service.quota.require(
            .staged, project: image.owner, adding: 0, besides: staged?.sizeBytes ?? 0, in: reader)
    }

    /// Only for an image that is still this task's: a part of any other would be nobody's to drop.
    private func put(_ part: ImagePart, for task: ImageTask) async throws {
        let isPut = try await service.database.write { transaction in
            guard try service.store.image(part.image, in: transaction)?.properties[ImportProperty.task] == task.id.text
            else { return false }
            try service.parts.put(part, in: transaction)
            return true
        }
        guard isPut else { throw PermanentJobFailure("the image was deleted") }
    }

    private func complete(_ part: ImagePart, _ content: BlobWriter.Result) async throws {
        let now = service.clock.now()
        let isKept = try await service.database.write {
            try service.parts.complete(file: part.file, content, at: now, in: $0)
        }
        guard isKept else { throw PermanentJobFailure("the image was deleted") }
    }

    private func convert(_ task: ImageTask, _ image: Image) async throws {
        let staged = try await part(of: image, .stage)
        let virtualSize = try await service.judge(staged.file, image: image)
        guard let plan = ConversionPlan(image, virtualSize: virtualSize, settings: service.settings.conversion) else {
            return
        }
        if let reason = plan.refusal { throw PermanentJobFailure(reason) }
        let old = try await found(.converted, of: image)
        let output = ImagePart(
            image: image.id, kind: .converted, file: ImagePart.newFile(.random()), sizeBytes: 0, isComplete: false,
            updatedAt: service.clock.now())
        try await put(output, for: task)
        if let old { await service.blobs.remove(part: old.file) }
        service.blobs.pin(output.file)
        defer { service.blobs.unpin(output.file) }
        try await converter.convert(
            plan, source: service.blobs.path(of: staged.file), target: service.blobs.path(of: output.file))
        try await complete(output, try await service.blobs.hash(output.file))
    }

    private func store(_ task: ImageTask, _ image: Image) async throws {
        let converted = try await found(.converted, of: image)
        let staged = try await part(of: image, .stage)
        var made = image
        if let converted {
            guard converted.isComplete else { throw PermanentJobFailure("the converted data is gone") }
            made.diskFormat = service.settings.conversion.outputFormat
        }
        let source = converted ?? staged
        guard let content = source.content else { throw PermanentJobFailure("the staged data is gone") }
        let virtualSize = try await service.judge(source.file, image: made)
        let (format, container) = (made.diskFormat, made.containerFormat)
        try await service.publish(content, part: source.file) { transaction in
            guard var image = try service.store.image(image.id, in: transaction), image.status == .importing else {
                throw PermanentJobFailure("the image was deleted")
            }
            try requireRoom(for: task, image, bytes: content.sizeBytes, in: transaction)
            image.status = .active
            // As the data was judged, whatever was asked for meanwhile.
            image.diskFormat = format
            image.containerFormat = container
            image.sizeBytes = content.sizeBytes
            image.virtualSizeBytes = virtualSize
            image.checksum = content.md5
            image.sha512 = content.sha512
            image.properties[ImportProperty.task] = nil
            image.properties[ImportProperty.pending] = ""
            let now = service.clock.now()
            image.updatedAt = now
            try service.store.update(image, in: transaction)
            try service.parts.drop(image: image.id, in: transaction)
            try service.tasks.end(
                task.id, .success, result: ["image_id": JSON(image.id.text)], message: "", at: now,
                expires: now + service.settings.taskSeconds * 1_000_000, in: transaction)
            transaction.afterCommit { Task { await service.sweep() } }
        }
    }

    private func found(_ kind: ImagePart.Kind, of image: Image) async throws -> ImagePart? {
        try await service.database.read { try service.parts.part(of: image.id, kind, in: $0) }
    }

    private func part(of image: Image, _ kind: ImagePart.Kind) async throws -> ImagePart {
        guard let part = try await found(kind, of: image), part.isComplete else {
            throw PermanentJobFailure("the staged data is gone")
        }
        return part
    }

    /// What did not end well ends here, with all it brought.
    private func fail(_ context: JobContext, _ outcome: JobOutcome, in transaction: any SQLTransaction) throws {
        guard let id = Self.task(context) else { return }
        switch outcome {
        case .completed: break
        case .undone(let reason), .stuck(let reason):
            try service.failImport(id, reason: reason, at: context.now, in: transaction)
        }
    }

    private static func task(_ context: JobContext) -> ImageTaskID? {
        context.input["task"]?.stringValue.flatMap { ImageTaskID($0) }
    }

    /// What trying again would not change ends the import at once.
    private static func judged(_ error: any Error) -> any Error {
        switch error {
        case let refusal as ImageAcceptance.Refusal: PermanentJobFailure("\(refusal)")
        case let refusal as WebAddress.Refusal: PermanentJobFailure("\(refusal)")
        case let refusal as ConversionFailure: PermanentJobFailure("\(refusal)")
        case let refusal as FetchFailure where !refusal.isWorthAnotherTry: PermanentJobFailure("\(refusal)")
        case let deadline as Deadline.Passed: PermanentJobFailure("\(deadline)")
        case let blob as BlobError where blob.isNoSpace:
            PermanentJobFailure("Image storage media is full: there is no room on the coordinator's disk")
        case is ImageService.PartGone: PermanentJobFailure("the image was deleted")
        case let error as APIError: PermanentJobFailure(error.message)
        default: error
        }
    }
}
