import ProtocolModel

/// The operation that makes an image's data of a volume: the volume has its turn only while what it holds is kept for the
/// copy, and is used meanwhile as before.
struct VolumeUpload: Sendable {
    let driver: VolumeKind
    let access: KeyedAccess
    let operation: Operation

    private static let poll = Duration.milliseconds(500)
    private var sending: ImageSending { ImageSending(core: driver.core) }

    func perform(_ volume: VolumeID, as image: ImageID, _ format: ImageSpec.DiskFormat) async -> OperationResult {
        guard await takesSlot() else { return OperationResult(id: operation.id, outcome: .expired) }
        defer { driver.uploads.give() }
        guard case .volume(let spec)? = access.spec(), let pool = driver.drivers.pools[spec.pool] else {
            return OperationResult(id: operation.id, outcome: .failed(Self.notHere))
        }
        var steps: [StatusStep] = []
        var failure: StatusError?
        do throws(StatusError) {
            try await run(volume, in: pool, as: image, format, &steps)
        } catch {
            failure = error
        }
        await pool.endCopy(for: operation.id)
        guard let failure else { return OperationResult(id: operation.id, outcome: .done(output: []), steps: steps) }
        let isExpired = sending.isExpired(operation)
        return OperationResult(id: operation.id, outcome: isExpired ? .expired : .failed(failure), steps: steps)
    }

    private func takesSlot() async -> Bool {
        while true {
            guard !sending.isExpired(operation) else { return false }
            if driver.uploads.tryTake() { return true }
            guard (try? await driver.core.clock.sleep(for: Self.poll)) != nil else { return false }
        }
    }

    private func run(
        _ volume: VolumeID, in pool: any VolumeBackend, as image: ImageID, _ format: ImageSpec.DiskFormat,
        _ steps: inout [StatusStep]
    ) async throws(StatusError) {
        let worker = StepWorker(driver: driver, clock: driver.core.clock, wallClock: driver.core.wallClock)
        let turns = driver.drivers.turns
        var error = await worker.timed(named: "keep-volume", into: &steps) { () throws(StatusError) in
            try await turns.holding([volume]) { () throws(StatusError) in
                try await pool.beginCopy(of: volume, for: operation.id)
            }
        }
        if let error { throw error }
        var file: (any SnapshotFile)?
        error = await worker.timed(named: "copy-volume", into: &steps) { () throws(StatusError) in
            file = try await copy(in: pool, format)
        }
        guard let file, error == nil else { throw error ?? Self.notHere }
        error = await worker.timed(named: ServerStep.uploadImage.rawValue, into: &steps) { () throws(StatusError) in
            try await sending.send(file, as: image, operation)
        }
        if let error { throw error }
    }

    /// Ends early when the volume is to go.
    private func copy(
        in pool: any VolumeBackend, _ format: ImageSpec.DiskFormat
    ) async throws(StatusError) -> any SnapshotFile {
        let (operation, limit) = (operation.id, sending.timeLeft(operation))
        let result = await withTaskGroup(of: Result<any SnapshotFile, StatusError>.self) { group in
            group.addTask {
                do throws(StatusError) {
                    return .success(try await pool.copy(for: operation, as: format, within: limit))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                while access.spec() != nil, (try? await driver.core.clock.sleep(for: Self.poll)) != nil {}
                return .failure(Self.notHere)
            }
            let first = await group.next() ?? .failure(Self.notHere)
            group.cancelAll()
            await group.waitForAll()
            return first
        }
        return try result.get()
    }

    private static let notHere = StatusError(
        code: .conflict, message: "The volume is not on this host any more.", detail: "no plan entry wants it")
}
