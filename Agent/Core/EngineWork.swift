import ProtocolModel

/// Steps on servers, beside the engine's loops.
extension ReconcileEngine {
    /// - Returns: `false` when the server has to wait for another to be finished with.
    func begin(
        _ decision: ServerPlanner.Decision, _ work: ServerWorker.Work, generation: Int64, _ compute: ComputeDrivers
    ) -> Bool {
        guard workers < settings.serversAtOnce, turns.tryTake(work.server) else { return false }
        workers += 1
        let worker = ServerWorker(compute: compute, clock: clock, wallClock: wallClock)
        start {
            var outcome = ServerWorker.Outcome()
            do throws(StatusError) {
                if decision.isFresh { try await self.unsettle(work.server) }
                outcome = await worker.perform(decision.steps, work)
            } catch {
                outcome.error = error
            }
            await self.finished(work, generation: generation, outcome)
        }
        return true
    }

    private func finished(_ work: ServerWorker.Work, generation: Int64, _ outcome: ServerWorker.Outcome) {
        workers -= 1
        figures.note(outcome.steps)
        if outcome.performed.contains(.requestShutdown) {
            records[work.server]?.shutdownAskedAt = uptime.elapsed
            wake(serverSignal, after: settings.shutdownGrace)
        }
        if var record = records[work.server], record.generation == generation {
            record.append(outcome.steps)
            if let error = outcome.error ?? record.succeeded(outcome.performed) { note(error, of: work, in: &record) }
            records[work.server] = record
        }
        turns.give(work.server)
        serverSignal.wake()
        flush()
    }

    private func note(_ error: StatusError, of work: ServerWorker.Work, in record: inout ServerRecord) {
        let isRemoval = work.spec == nil
        let delay = record.retry.failed(
            error, isFinal: !isRemoval && error.isPermanent, now: uptime.elapsed,
            limits: isRemoval ? .persistent : .effort)
        if let delay {
            wake(serverSignal, after: delay)
        } else {
            record.failure = error
            return
        }
        guard plan.entries[.server(work.server)] != nil else {
            // An orphan has nobody to report to.
            logger.warning(
                "cannot remove a server that is not planned here",
                metadata: ["server": "\(work.server)", "error": "\(error.message)", "detail": "\(error.detail)"])
            return
        }
        let known = board.current[.server(work.server)]?.details ?? .none
        post(status(work.server, record, phase: .applying, details: known, error: error))
    }
}
