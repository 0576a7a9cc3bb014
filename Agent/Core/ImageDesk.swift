import Logging
import ProtocolModel
import Synchronization

/// Brings images into the host's cache for the resources of one kind that wait for them; however many wait for one, it is
/// fetched once.
///
/// One lock, `state`; nothing is awaited while it is held.
final class ImageDesk: Sendable {
    private struct Fetch: Sendable {
        var isRunning = false
        var retry = RetrySchedule()
        /// Given up; told to those who wait now, and forgotten when nobody does.
        var failure: StatusError?
    }

    private struct State {
        var fetches: [String: Fetch] = [:]
        /// What waited when a pass last ended.
        var awaited: [AnyID: ImageSpec] = [:]
        /// What was done for resources that have not heard of it.
        var steps: [AnyID: [StatusStep]] = [:]
        var lastSweep = Duration.zero
    }

    private let storage: any ImageStore
    private let core: EngineCore
    private let kind: ResourceKind
    private let state = Mutex(State())

    init(_ storage: any ImageStore, _ core: EngineCore, for kind: ResourceKind = .server) {
        self.storage = storage
        self.core = core
        self.kind = kind
    }

    func failure(of image: ImageSpec) -> StatusError? { state.withLock { $0.fetches[image.sha512]?.failure } }

    func isFetching(_ image: ImageSpec) -> Bool { state.withLock { $0.fetches[image.sha512]?.isRunning ?? false } }

    func takeSteps<Resource>(for id: Identifier<Resource>) -> [StatusStep] {
        state.withLock { $0.steps.isEmpty ? [] : $0.steps.removeValue(forKey: id.cast()) ?? [] }
    }

    /// Starts fetches for what is waited for, and forgets failures that nobody waits for any more.
    func fetch<Resource>(_ awaited: [Identifier<Resource>: ImageSpec]) {
        let awaited = Dictionary(uniqueKeysWithValues: awaited.map { ($0.key.cast(to: AnyTag.self), $0.value) })
        let images = Dictionary(awaited.values.map { ($0.sha512, $0) }) { first, _ in first }
        let (session, number) = core.session
        let due = state.withLock { state -> [ImageSpec] in
            state.awaited = awaited
            state.steps = state.steps.filter { awaited[$0.key] != nil }
            state.fetches = state.fetches.filter { $0.value.isRunning || images[$0.key] != nil }
            guard session != nil else { return [] }
            var due: [ImageSpec] = []
            for (sha512, image) in images {
                guard state.fetches.values.count(where: \.isRunning) < core.settings.imageFetchesAtOnce else { break }
                var fetch = state.fetches[sha512] ?? Fetch()
                guard !fetch.isRunning, fetch.failure == nil, fetch.retry.isDue(now: core.uptime) else { continue }
                fetch.isRunning = true
                state.fetches[sha512] = fetch
                due.append(image)
            }
            return due
        }
        guard let session else { return }
        for image in due { core.start { await self.run(image, session, number) } }
    }

    private func run(_ image: ImageSpec, _ session: any CoordinatorSession, _ number: Int) async {
        let startedAt = core.wallClock.now()
        let watch = Stopwatch(core.clock)
        var failure: StatusError?
        do throws(StatusError) { try await storage.fetchImage(image, from: session) } catch { failure = error }
        let step = StatusStep(
            name: ServerStep.fetchImage.rawValue, startedAt: startedAt,
            durationMicroseconds: watch.elapsed.wholeMicroseconds, error: failure?.message)
        core.figures.note([step])
        let delay = state.withLock { state -> Duration? in
            for (id, awaited) in state.awaited where awaited.sha512 == image.sha512 {
                state.steps[id, default: []].append(step)
            }
            guard let failure else {
                state.fetches[image.sha512] = nil
                return nil
            }
            var fetch = state.fetches[image.sha512] ?? Fetch()
            defer { state.fetches[image.sha512] = fetch }
            fetch.isRunning = false
            // A link that broke says nothing about the image; the next session goes on where this one ended.
            guard number == core.session.number else { return nil }
            let isFinal = failure.code == .noSpace || failure.code == .unsupported
            let delay = fetch.retry.failed(failure, isFinal: isFinal, now: core.uptime, limits: .image)
            if delay == nil { fetch.failure = failure }
            return delay
        }
        log(image, failure, delay)
        core.wake(kind)
    }

    private func log(_ image: ImageSpec, _ failure: StatusError?, _ delay: Duration?) {
        guard let failure else {
            return core.logger.info(
                "image is cached", metadata: ["image": "\(image.id)", "bytes": "\(image.sizeBytes)"])
        }
        guard let delay else { return }
        core.logger.warning(
            "cannot fetch an image, trying again",
            metadata: ["image": "\(image.id)", "error": "\(failure.message)", "detail": "\(failure.detail)"])
        core.after(delay) { [core, kind] in core.wake(kind) }
    }

    /// Has the storage drop images that nobody here uses.
    func sweepIfDue() {
        let uptime = core.uptime
        var inUse = state.withLock { state -> Set<String>? in
            guard uptime - state.lastSweep >= core.settings.sweepPeriod else { return nil }
            state.lastSweep = uptime
            return Set(state.fetches.keys)
        }
        for case .server(let spec)? in core.plan.entries.values.lazy.map(\.spec?.inForce) {
            for image in [spec.image, spec.rescue?.image] { if let image { inUse?.insert(image.sha512) } }
        }
        for case .volume(let spec)? in core.plan.entries.values.lazy.map(\.spec?.inForce) {
            if case .image(let image) = spec.source { inUse?.insert(image.sha512) }
        }
        guard let keep = inUse else { return }
        core.start { [storage] in await storage.sweepImages(keeping: keep) }
    }
}
