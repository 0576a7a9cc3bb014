import ProtocolModel

/// Operations that leave the guest as it is: a snapshot of its root disk for an image, and questions.
extension OperationRunner {
    /// The server's turn is held while its disk is copied; compressing and sending are nobody else's concern.
    func snapshot(_ operation: Operation, _ server: ServerID, as image: ImageID) async -> OperationResult {
        var steps: [StatusStep] = []
        do throws(StatusError) {
            try await awaitSlot(until: operation)
            defer { worker.driver.snapshots.give() }
            let error = await makeAndSend(operation, server, as: image, &steps)
            await worker.driver.compute.storage.removeSnapshot(for: operation.id)
            if let error { throw error }
            return OperationResult(id: operation.id, outcome: .done(output: []), steps: steps)
        } catch {
            let outcome: OperationResult.Outcome = isExpired(operation) ? .expired : .failed(error)
            return OperationResult(id: operation.id, outcome: outcome, steps: steps)
        }
    }

    private func awaitSlot(until operation: Operation) async throws(StatusError) {
        while !worker.driver.snapshots.tryTake() {
            guard !isExpired(operation), (try? await worker.clock.sleep(for: poll)) != nil else { throw Self.tooLate }
        }
    }

    private func makeAndSend(
        _ operation: Operation, _ server: ServerID, as image: ImageID, _ steps: inout [StatusStep]
    ) async -> StatusError? {
        do throws(StatusError) {
            let file = try await take(operation, server, &steps)
            let error = await worker.timed(.uploadImage, into: &steps) { () throws(StatusError) in
                try await sending.send(file, as: image, operation)
            }
            if let error { throw error }
            return nil
        } catch {
            return error
        }
    }

    private var sending: ImageSending { ImageSending(core: worker.driver.core) }

    // MARK: The copy

    private func take(
        _ operation: Operation, _ server: ServerID, _ steps: inout [StatusStep]
    ) async throws(StatusError) -> any SnapshotFile {
        await access.turns.take(.server(server))
        guard let spec, spec.image != nil else {
            access.turns.give(.server(server))
            throw spec == nil ? Self.notHere : Self.noRootDisk
        }
        let storage = worker.driver.compute.storage
        var isLive = false
        var error = await worker.timed(.copyDisk, into: &steps) { () throws(StatusError) in
            isLive = try await worker.driver.compute.hypervisor.observe()[server]?.isActive == true
            if isLive { try await copy(spec, operation) }
        }
        // What was copied is nobody's any more; without a copy the guest stays down until the disk is read.
        if isLive || error != nil { access.turns.give(.server(server)) }
        if let error { throw error }
        var file: (any SnapshotFile)?
        error = await worker.timed(.compressDisk, into: &steps) { () throws(StatusError) in
            file = try await storage.makeSnapshot(of: spec, for: operation.id, within: sending.timeLeft(operation))
        }
        if !isLive { access.turns.give(.server(server)) }
        guard let file, error == nil else { throw error ?? Self.tooLate }
        return file
    }

    /// Ends early when the server is to go.
    private func copy(_ spec: ServerSpec, _ operation: Operation) async throws(StatusError) {
        let compute = worker.driver.compute
        guard let disk = compute.storage.disks(of: spec).first(where: { $0.role == .root }) else {
            throw Self.noRootDisk
        }
        let target = try await compute.storage.makeSnapshotTarget(of: spec, for: operation.id)
        let limit = sending.timeLeft(operation)
        let failure = await withTaskGroup(of: StatusError?.self) { group in
            group.addTask {
                do throws(StatusError) {
                    try await compute.hypervisor.copyDisk(at: disk.path, of: spec.id, to: target, within: limit)
                    return nil
                } catch {
                    return error
                }
            }
            group.addTask {
                while self.spec != nil, (try? await worker.clock.sleep(for: poll)) != nil {}
                return Self.notHere
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            await group.waitForAll()
            return first
        }
        if let failure { throw failure }
    }

    private static let tooLate = StatusError(
        code: .timedOut, message: "The host did not come to it in time: try again.", detail: "snapshots at once")
    private static let noRootDisk = StatusError(
        code: .unsupported, message: "The server has no root disk of its own: take snapshots of its volumes.",
        detail: "image=nil")

    // MARK: Questions

    /// One thing that needs nobody's turn.
    func single(
        _ operation: Operation, _ step: ServerStep, _ body: () async throws(StatusError) -> [UInt8]
    ) async -> OperationResult {
        var steps: [StatusStep] = []
        var output: [UInt8] = []
        let error = await worker.timed(step, into: &steps) { () throws(StatusError) in output = try await body() }
        return OperationResult(
            id: operation.id, outcome: error.map { .failed($0) } ?? .done(output: output), steps: steps)
    }

    func diagnose(_ operation: Operation, _ server: ServerID) async -> OperationResult {
        await single(operation, .diagnose) { () throws(StatusError) in
            guard let spec else { throw Self.notHere }
            return try await worker.driver.compute.hypervisor.diagnose(server).json(of: spec).bytes
        }
    }
}
