import ProtocolModel

/// Carries out steps and times them. Holds no state and decides nothing.
struct StepWorker<Driver: KeyedDriver>: Sendable {
    let driver: Driver
    let clock: any Clock<Duration>
    let wallClock: any WallClock

    /// The steps that were done, the last of them failed when there is an error.
    struct Outcome: Sendable {
        var steps: [StatusStep] = []
        var error: StatusError?
        var performed: [Driver.Step] = []
    }

    /// Stops at the first failure.
    func perform(_ steps: [Driver.Step], _ work: Driver.Work) async -> Outcome {
        var outcome = Outcome()
        for step in steps {
            let error = await timed(step, into: &outcome.steps) { () throws(StatusError) in
                try await driver.perform(step, work)
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
        _ step: Driver.Step, into steps: inout [StatusStep], _ body: () async throws(StatusError) -> Void
    ) async -> StatusError? {
        await timed(named: step.rawValue, into: &steps, body)
    }

    /// The same for what is no step of a plan.
    func timed(
        named name: String, into steps: inout [StatusStep], _ body: () async throws(StatusError) -> Void
    ) async -> StatusError? {
        let startedAt = wallClock.now()
        let watch = Stopwatch(clock)
        var failure: StatusError?
        do throws(StatusError) { try await body() } catch { failure = error }
        steps.append(
            StatusStep(
                name: name, startedAt: startedAt, durationMicroseconds: watch.elapsed.wholeMicroseconds,
                error: failure?.message))
        return failure
    }
}
