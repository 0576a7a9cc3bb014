import ProtocolModel

/// Carries out one operation on a server.
struct OperationRunner: Sendable {
    let worker: StepWorker<ServerKind>
    /// Between two looks at what is awaited.
    let poll: Duration
    /// For a network to become ready.
    let networkGrace: Duration
    let bootID: String
    let access: KeyedAccess

    private static let consoleLimit = 1 << 20

    func perform(_ operation: Operation) async -> OperationResult {
        guard !isExpired(operation) else { return OperationResult(id: operation.id, outcome: .expired) }
        switch operation.action {
        case .consoleOutput(let server, let lines): return await console(operation, server, lines: lines)
        case .hardReboot(let server):
            return await exclusively(operation, server) { spec in
                await worker.perform([.stop, .define, .start], work(server, spec))
            }
        case .softReboot(let server, let graceSeconds):
            return await exclusively(operation, server) { spec in
                await softReboot(spec, grace: .seconds(graceSeconds), deadline: operation.deadline)
            }
        case .snapshot(let server, let image): return await snapshot(operation, server, as: image)
        case .changePassword(let server, let user, let password):
            return await single(operation, .changePassword) { () throws(StatusError) in
                try await worker.driver.compute.hypervisor.setPassword(password, of: user, on: server)
                return []
            }
        case .injectNMI(let server):
            return await single(operation, .injectNMI) { () throws(StatusError) in
                try await worker.driver.compute.hypervisor.injectNMI(server)
                return []
            }
        case .diagnostics(let server): return await diagnose(operation, server)
        case .openConsole(let server, let kind, let session):
            return await openConsole(operation, server, kind, session)
        case .uploadVolume, .unknown:
            return OperationResult(
                id: operation.id, outcome: .failed(.unsupported(operation.action.name, coordinator: "")))
        }
    }

    func isExpired(_ operation: Operation) -> Bool { worker.wallClock.now() >= operation.deadline }

    private func work(_ server: ServerID, _ spec: ServerSpec) -> ServerKind.Work {
        ServerKind.Work(server: server, spec: spec)
    }

    /// Waits for other work on the server to end, then runs `body`.
    private func exclusively(
        _ operation: Operation, _ server: ServerID, _ body: (ServerSpec) async -> StepWorker<ServerKind>.Outcome
    ) async -> OperationResult {
        await access.turns.take(.server(server))
        defer { access.turns.give(.server(server)) }
        guard !isExpired(operation) else { return OperationResult(id: operation.id, outcome: .expired) }
        guard let spec else {
            return OperationResult(id: operation.id, outcome: .failed(Self.notHere))
        }
        do throws(StatusError) {
            guard await becomesConnected(spec, deadline: operation.deadline) else { throw notConnected }
            try await access.unsettle()
        } catch {
            return OperationResult(id: operation.id, outcome: .failed(error))
        }
        let outcome = await body(spec)
        return OperationResult(
            id: operation.id, outcome: outcome.error.map { .failed($0) } ?? .done(output: []), steps: outcome.steps)
    }

    /// The server as the plan wants it now, `nil` when it does not.
    var spec: ServerSpec? {
        guard case .server(let spec)? = access.spec() else { return nil }
        return spec
    }

    /// Whether a guest may be let run: with its network as it shall be, or as it was when it ran before in this boot.
    private func mayRun(_ spec: ServerSpec) -> Bool {
        if let before = access.settled(), before.state == ServerSpec.Power.running.rawValue, before.bootID == bootID {
            return true
        }
        return worker.driver.networkReadiness(for: spec, worker.driver.core.plan, access.readiness) == .ready
    }

    /// A guest runs with its rules or not at all. They may still be on their way, for a guest that has not run yet.
    private func becomesConnected(_ spec: ServerSpec, deadline: Int64) async -> Bool {
        let left = min(networkGrace, .microseconds(max(0, deadline - worker.wallClock.now())))
        let watch = Stopwatch(worker.clock)
        while !mayRun(spec) {
            guard watch.elapsed < left, (try? await worker.clock.sleep(for: poll)) != nil else { return false }
        }
        return true
    }

    /// Asks the guest to go down and starts it again; resets it when it does not in time.
    private func softReboot(_ spec: ServerSpec, grace: Duration, deadline: Int64) async
        -> StepWorker<ServerKind>.Outcome
    {
        let work = work(spec.id, spec)
        let power = await power(of: spec.id)
        guard power == .running else {
            // Nobody is there to be asked.
            return await worker.perform([.stop, .define, .start], work)
        }
        var outcome = await worker.perform([.requestShutdown], work)
        // A guest without an agent for it still obeys the reset button.
        guard outcome.error == nil else { return await worker.perform([.reset], work).after(outcome) }
        let left = Duration.microseconds(max(0, deadline - worker.wallClock.now()))
        var isDown = false
        _ = await worker.timed(.awaitShutdown, into: &outcome.steps) { () throws(StatusError) in
            isDown = await goesDown(spec.id, within: min(grace, left))
        }
        guard self.spec != nil else {
            outcome.error = Self.notHere
            return outcome
        }
        return await worker.perform(isDown ? [.define, .start] : [.reset], work).after(outcome)
    }

    private func goesDown(_ server: ServerID, within grace: Duration) async -> Bool {
        let watch = Stopwatch(worker.clock)
        while true {
            let power = await power(of: server)
            if power != .running && power != .paused { return true }
            // A server that is to be deleted does not wait for its guest.
            guard watch.elapsed < grace, spec != nil else { return false }
            guard (try? await worker.clock.sleep(for: poll)) != nil else { return false }
        }
    }

    private func power(of server: ServerID) async -> ServerDetails.PowerState {
        // Not being able to look is not the same as being off: the caller then resets, which fails with the reason.
        guard let domains = try? await worker.driver.compute.hypervisor.observe() else { return .running }
        return domains[server]?.power ?? .none
    }

    private func console(_ operation: Operation, _ server: ServerID, lines: Int?) async -> OperationResult {
        var steps: [StatusStep] = []
        var output: [UInt8] = []
        let error = await worker.timed(.readConsole, into: &steps) { () throws(StatusError) in
            output = try await worker.driver.compute.storage.consoleLog(of: server, maximumBytes: Self.consoleLimit)
        }
        if let lines { output = Self.tail(output, lines: lines) }
        return OperationResult(
            id: operation.id, outcome: error.map { .failed($0) } ?? .done(output: output), steps: steps)
    }

    /// The last `lines` lines; one that is not ended yet counts.
    static func tail(_ bytes: [UInt8], lines: Int) -> [UInt8] {
        guard lines > 0 else { return [] }
        let newline = UInt8(ascii: "\n")
        var left = lines
        var index = bytes.last == newline ? bytes.count - 1 : bytes.count
        while index > 0 {
            if bytes[index - 1] == newline {
                left -= 1
                if left == 0 { break }
            }
            index -= 1
        }
        return Array(bytes[index...])
    }

    private var notConnected: StatusError {
        StatusError(
            code: .hostFailure,
            message:
                "The server's networks are not ready on its host: nothing was changed. Try again, or ask the operator.",
            detail: "not within \(networkGrace)")
    }
    static let notHere = StatusError(
        code: .conflict, message: "The server is not on this host any more.", detail: "no plan entry wants it")
}

extension StepWorker<ServerKind>.Outcome {
    /// This outcome, with the steps of what went before it.
    fileprivate func after(_ earlier: Self) -> Self {
        Self(steps: earlier.steps + steps, error: error, performed: earlier.performed + performed)
    }
}
