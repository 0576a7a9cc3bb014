import Logging
import ProtocolModel

/// The engine's side of operations: at most once, one at a time with other work on the same server.
extension ReconcileEngine {
    /// Begins an operation, or repeats the result it had.
    public func handle(_ operation: Operation) async {
        guard let resource = operation.action.resource else {
            return await answer(
                operation.id,
                .unsupported(operation.action.name, coordinator: session?.coordinatorVersion ?? ""))
        }
        guard let compute = drivers.compute else {
            return await answer(operation.id, refusal("The host does not run servers.", "no hypervisor driver"))
        }
        guard operations < settings.operationsAtOnce else {
            return await answer(
                operation.id,
                refusal("The host is busy with other requests: try again later.", "\(operations) operations at once"))
        }
        operations += 1
        do {
            switch operation.isRepeatable ? .run : try await store.admit(operation) {
            case .run: start { await self.perform(operation, resource, compute) }
            case .alreadyRunning: operations -= 1
            case .finished(let result):
                operations -= 1
                await tell(result, of: resource)
            }
        } catch {
            operations -= 1
            await answer(operation.id, .cannotWrite(error))
        }
    }

    /// The coordinator has the result: it need not be kept.
    public func acknowledge(_ operation: OperationID) async {
        do {
            try await store.acknowledge(operation)
        } catch {
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
        }
    }

    private func perform(_ operation: Operation, _ resource: ResourceKey, _ compute: ComputeDrivers) async {
        let runner = OperationRunner(
            worker: ServerWorker(compute: compute, clock: clock, wallClock: wallClock), turns: turns,
            poll: settings.shutdownPoll, networkGrace: settings.networkGrace,
            spec: { await self.plan.server($0) },
            isConnected: { await self.mayRun($0) },
            unsettle: { (server) async throws(StatusError) in try await self.unsettle(server) })
        let result = await runner.perform(operation)
        operations -= 1
        figures.note(result.steps)
        guard !operation.isRepeatable else {
            await session?.send(result)
            return
        }
        // What was said of the server before is over.
        forgetWhatWasSaid(of: resource)
        // Others may have waited for their turn.
        serverSignal.wake()
        do {
            try await store.finish(result)
        } catch {
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
        }
        log(operation, resource, result)
        await tell(result, of: resource)
    }

    /// The result speaks of the past: how the server is now has to be heard after it, also when that is no news (a guest
    /// that was off, was reset and turned itself off at once).
    private func tell(_ result: OperationResult, of resource: ResourceKey) async {
        await session?.send(result)
        forgetWhatWasSaid(of: resource)
        serverSignal.wake()
    }

    private func forgetWhatWasSaid(of resource: ResourceKey) {
        records[resource.id.cast(to: ServerTag.self)]?.quiet = nil
        drop(resource)
    }

    private func log(_ operation: Operation, _ resource: ResourceKey, _ result: OperationResult) {
        var metadata: Logger.Metadata = ["operation": "\(operation.id)", "\(resource.kind)": "\(resource.id)"]
        switch result.outcome {
        case .done: logger.info("\(operation.action.name) is done", metadata: metadata)
        case .expired, .interrupted: logger.warning("\(operation.action.name) came too late", metadata: metadata)
        case .failed(let error):
            metadata["error"] = "\(error.message)"
            metadata["detail"] = "\(error.detail)"
            logger.error("\(operation.action.name) failed", metadata: metadata)
        }
    }

    private func answer(_ operation: OperationID, _ error: StatusError) async {
        await session?.send(OperationResult(id: operation, outcome: .failed(error)))
    }

    private func refusal(_ message: String, _ detail: String) -> StatusError {
        StatusError(code: .hostFailure, message: message, detail: detail)
    }
}

extension StatusError {
    static func cannotWrite(_ error: any Error) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The host cannot write down what it does: its operator must look at it.",
            detail: "\(error)")
    }
}

extension Operation {
    /// Reads change nothing, so neither they nor their bulky results go through the ledger.
    var isRepeatable: Bool {
        switch action {
        case .consoleOutput: true
        case .softReboot, .hardReboot, .unknown: false
        }
    }
}
