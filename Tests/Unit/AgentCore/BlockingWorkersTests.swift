import AgentCore
import Dispatch
import Synchronization
import Testing

@Suite("threads for blocking calls")
struct BlockingWorkersTests {
    struct Refused: Error, Equatable {}

    final class Counter: Sendable {
        let counts = Mutex((now: 0, most: 0, done: 0))

        func enter() {
            counts.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
        }

        func leave() {
            counts.withLock {
                $0.now -= 1
                $0.done += 1
            }
        }
    }

    @Test("all calls are made, never more at once than there are threads")
    func bounded() async {
        let workers = BlockingWorkers(label: "test", count: 3)
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    await workers.run {
                        counter.enter()
                        counter.leave()
                    }
                }
            }
        }
        let (_, most, done) = counter.counts.withLock { $0 }
        #expect(done == 500 && most <= 3)
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
