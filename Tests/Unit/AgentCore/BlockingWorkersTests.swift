import AgentCore
import Dispatch
import Synchronization
import Testing

@Suite("threads for blocking calls")
struct BlockingWorkersTests {
    struct Refused: Error, Equatable {}

    final class Counter: Sendable {
        let counts = Mutex((now: 0, most: 0, begun: 0, done: 0))

        /// - Returns: Which one this is, from 1 on.
        func enter() -> Int {
            counts.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
                $0.begun += 1
                return $0.begun
            }
        }

        func leave() {
            counts.withLock {
                $0.now -= 1
                $0.done += 1
            }
        }
    }

    @Test("all calls are made, as many at once as there are threads and never more", .timeLimit(.minutes(1)))
    func bounded() async {
        let workers = BlockingWorkers(label: "test", count: 3)
        let counter = Counter()
        // The first three calls wait for each other, so that a pool of fewer threads would never end.
        let together = DispatchGroup()
        for _ in 0..<3 { together.enter() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    await workers.run {
                        if counter.enter() <= 3 {
                            together.leave()
                            together.wait()
                        }
                        counter.leave()
                    }
                }
            }
        }
        let (_, most, _, done) = counter.counts.withLock { $0 }
        #expect(done == 500)
        #expect(most == 3)
    }

    @Test("a call that takes long holds up no other", .timeLimit(.minutes(1)))
    func independent() async {
        let workers = BlockingWorkers(label: "test", count: 2)
        let gate = DispatchSemaphore(value: 0)
        async let slow: Void = workers.run { gate.wait() }
        for number in 0..<20 { #expect(await workers.run { number } == number) }
        gate.signal()
        await slow
    }

    @Test("errors come out with their type")
    func errors() async {
        let workers = BlockingWorkers(label: "test", count: 1)
        do throws(Refused) {
            try await workers.run { () throws(Refused) in throw Refused() }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error == Refused())
        }
    }
}
