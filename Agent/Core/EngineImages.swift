import ProtocolModel

/// One image on its way into the host's cache; however many servers wait for it, it is fetched once.
struct ImageFetch: Sendable {
    var isRunning = false
    var retry = RetrySchedule()
    /// Given up; told to those who wait now, and forgotten when nobody does.
    var failure: StatusError?
}

extension ReconcileEngine {
    /// Which of the images that these servers need for a disk are in the cache.
    func cachedImages(
        _ compute: ComputeDrivers, for servers: [ServerID], files: [ServerID: ServerFiles]
    ) async -> Set<String> {
        var needed: [String: ImageSpec] = [:]
        for server in servers {
            guard let spec = plan.server(server), files[server]?.rootDiskVersion != spec.rootDiskVersion else {
                continue
            }
            needed[spec.image.sha512] = spec.image
        }
        var here: Set<String> = []
        for (sha512, image) in needed where await compute.storage.hasImage(image) { here.insert(sha512) }
        return here
    }

    /// Starts fetches for what servers wait for, and forgets failures that nobody waits for any more.
    func fetchAwaitedImages(_ compute: ComputeDrivers) {
        var awaited: [String: ImageSpec] = [:]
        for (server, record) in records {
            guard record.failure == nil, record.awaitedImage != nil, let spec = plan.server(server) else { continue }
            awaited[spec.image.sha512] = spec.image
        }
        images = images.filter { $0.value.isRunning || awaited[$0.key] != nil }
        guard let session else { return }
        for (sha512, image) in awaited {
            guard images.values.count(where: \.isRunning) < settings.imageFetchesAtOnce else { return }
            var fetch = images[sha512] ?? ImageFetch()
            guard !fetch.isRunning, fetch.failure == nil, fetch.retry.isDue(now: uptime.elapsed) else { continue }
            fetch.isRunning = true
            images[sha512] = fetch
            let worker = ServerWorker(compute: compute, clock: clock, wallClock: wallClock)
            let number = sessionNumber
            start {
                var steps: [StatusStep] = []
                let error = await worker.timed(.fetchImage, into: &steps) { () throws(StatusError) in
                    try await compute.storage.fetchImage(image, from: session)
                }
                await self.fetched(image, steps: steps, error: error, session: number)
            }
        }
    }

    private func fetched(_ image: ImageSpec, steps: [StatusStep], error: StatusError?, session number: Int) {
        figures.note(steps)
        for (server, record) in records where record.awaitedImage == image.sha512 {
            records[server]?.append(steps)
        }
        images[image.sha512]?.isRunning = false
        if let error {
            // A link that broke says nothing about the image; the next session goes on where this one ended.
            guard number == sessionNumber else { return serverSignal.wake() }
            let isFinal = error.code == .noSpace || error.code == .unsupported
            var fetch = images[image.sha512] ?? ImageFetch()
            if let delay = fetch.retry.failed(error, isFinal: isFinal, now: uptime.elapsed, limits: .image) {
                logger.warning(
                    "cannot fetch an image, trying again",
                    metadata: ["image": "\(image.id)", "error": "\(error.message)", "detail": "\(error.detail)"])
                wake(serverSignal, after: delay)
            } else {
                fetch.failure = error
            }
            images[image.sha512] = fetch
        } else {
            images[image.sha512] = nil
            logger.info("image is cached", metadata: ["image": "\(image.id)", "bytes": "\(image.sizeBytes)"])
        }
        serverSignal.wake()
    }

    func sweepImagesIfDue() {
        guard let storage = drivers.compute?.storage, uptime.elapsed - lastSweep >= settings.sweepPeriod else { return }
        lastSweep = uptime.elapsed
        var inUse = Set(images.keys)
        for case .server(let spec)? in plan.entries.values.lazy.map(\.spec) { inUse.insert(spec.image.sha512) }
        let keep = inUse
        start { await storage.sweepImages(keeping: keep) }
    }
}
