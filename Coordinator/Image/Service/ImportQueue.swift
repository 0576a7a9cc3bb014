import CoordinatorPlatform
import ProtocolModel

/// Imports that wait for their turn, and how they end without one.
extension ImageService {
    /// What a task says until its turn comes.
    static let waiting = "Waiting for its turn: other imports, of this project or of others, are under way."

    /// Projects looked at for one turn: more than can have imports under way, so those that have all of theirs never
    /// hide those that wait.
    private static let headLimit = 4 * ImportLane.places

    /// Starts whatever has its turn. Called in every transaction that adds or ends an import.
    func startImports(at now: Int64, in transaction: any SQLTransaction) throws {
        for lane in ImportLane.allCases {
            // Each round starts one import at least, and a lane has so many places.
            for _ in 0..<ImportLane.places {
                let turns = ImportLane.turns(
                    underWay: try tasks.underWay(lane, in: transaction),
                    heads: try tasks.heads(lane, limit: Self.headLimit, in: transaction))
                if turns.isEmpty { break }
                for head in turns where try begin(head.task, at: now, in: transaction) {
                    try jobs.engine().submit(
                        lane.rawValue, input: ["task": JSON(head.task.text)], at: now, in: transaction)
                }
            }
        }
    }

    /// From here on the import has its own time, however long it waited.
    /// - Returns: Whether it was waiting.
    @discardableResult
    func begin(_ id: ImageTaskID, at now: Int64, in transaction: any SQLTransaction) throws -> Bool {
        try tasks.begin(id, at: now, deadline: now + settings.importSeconds * 1_000_000, in: transaction)
    }

    /// Ends imports that are still waiting when their time is over, and starts what has its turn, should a start have
    /// been missed. The caller sweeps afterwards.
    func tendImports(at now: Int64, in transaction: any SQLTransaction) throws {
        for lane in ImportLane.allCases {
            for id in try tasks.overdue(lane, at: now, in: transaction) {
                try endImport(id, reason: "It waited for its turn until its time was over.", at: now, in: transaction)
            }
        }
        try startImports(at: now, in: transaction)
    }

    /// The import is over: the image waits for data again, and says where that went wrong.
    func failImport(_ id: ImageTaskID, reason: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try endImport(id, reason: reason, at: now, in: transaction)
        transaction.afterCommit { Task { await sweep() } }
    }

    /// Data that was staged for an import that never began stays, and can be imported.
    private func endImport(
        _ id: ImageTaskID, reason: String, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let task = try ImageTask.table.find(id, in: transaction) else { return }
        try tasks.end(
            id, .failure, message: reason, at: now, expires: now + settings.taskSeconds * 1_000_000, in: transaction)
        guard var image = try store.image(task.image, in: transaction),
            image.properties[ImportProperty.task] == id.text
        else { return }
        let staged = try task.status == .pending ? parts.part(of: image.id, .stage, in: transaction) : nil
        if let staged, staged.isComplete {
            image.status = .uploading
            try parts.touch(file: staged.file, at: now, in: transaction)
        } else {
            image.status = .queued
            image.sizeBytes = nil
            try parts.drop(image: image.id, in: transaction)
        }
        image.properties[ImportProperty.task] = nil
        image.properties[ImportProperty.pending] = ""
        image.properties[ImportProperty.failed] = Self.storeID
        image.updatedAt = now
        try store.update(image, in: transaction)
    }
}
