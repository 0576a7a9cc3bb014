import ProtocolModel

/// Carries out steps on servers and times them. Holds no state and decides nothing.
struct ServerWorker: Sendable {
    let compute: ComputeDrivers
    let clock: any Clock<Duration>
    let wallClock: any WallClock

    /// What the steps of one piece of work are done with.
    struct Work: Sendable {
        var server: ServerID
        /// `nil` for what shall go.
        var spec: ServerSpec?
        var configDrive: ConfigDriveContent?
    }

    /// The steps that were done, the last of them failed when there is an error.
    struct Outcome: Sendable {
        var steps: [StatusStep] = []
        var error: StatusError?
        var performed: [ServerStep] = []
    }

    /// Stops at the first failure.
    func perform(_ steps: [ServerStep], _ work: Work) async -> Outcome {
        var outcome = Outcome()
        for step in steps {
            let error = await timed(step, into: &outcome.steps) { () throws(StatusError) in
                try await run(step, work)
            }
            if let error {
                outcome.error = error
                break
            }
            outcome.performed.append(step)
        }
        return outcome
    }

    /// Runs `body` and notes how long it took and how it ended.
    func timed(
        _ step: ServerStep, into steps: inout [StatusStep], _ body: () async throws(StatusError) -> Void
    ) async -> StatusError? {
        let startedAt = wallClock.now()
        let watch = Stopwatch(clock)
        var failure: StatusError?
        do throws(StatusError) { try await body() } catch { failure = error }
        steps.append(
            StatusStep(
                name: step.rawValue, startedAt: startedAt, durationMicroseconds: watch.elapsed.wholeMicroseconds,
                error: failure?.message))
        return failure
    }

    private func run(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        let hypervisor = compute.hypervisor
        switch step {
        case .start: try await hypervisor.start(work.server, paused: false)
        case .startPaused: try await hypervisor.start(work.server, paused: true)
        case .requestShutdown: try await hypervisor.requestShutdown(work.server)
        case .stop: try await hypervisor.destroy(work.server)
        case .pause: try await hypervisor.pause(work.server)
        case .resume: try await hypervisor.resume(work.server)
        case .save: try await hypervisor.save(work.server)
        case .reset: try await hypervisor.reset(work.server)
        case .undefine: try await hypervisor.undefine(work.server)
        case .removeFiles: try await compute.storage.remove(work.server)
        case .createDisk, .createConfigDrive, .define: try await make(step, work)
        case .fetchImage, .readConsole, .awaitShutdown: break  // Others do these, and time them through ``timed``.
        }
    }

    private func make(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        guard let spec = work.spec else { return }
        switch step {
        case .createDisk: try await compute.storage.makeDisks(spec)
        case .createConfigDrive:
            guard let content = work.configDrive else { return }
            try await compute.storage.makeConfigDrive(spec, content: content)
        default: try await compute.hypervisor.define(compute.definition(of: spec))
        }
    }
}

extension ComputeDrivers {
    func definition(of spec: ServerSpec) -> DomainDefinition {
        DomainDefinition(
            spec: spec, disks: storage.disks(of: spec), consoleLogPath: storage.consoleLogPath(of: spec.id))
    }
}
