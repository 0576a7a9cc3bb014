import Collections
import Dispatch
import Synchronization

/// Threads for calls that block (libvirt, files, child processes), so that they never hold up the concurrency runtime's
/// own. A thread is made when a call needs it and ends when there has been nothing to do for a while.
///
/// At most ``init(label:count:)``'s number of calls run at once, in no particular order; the others wait suspended.
/// What waits is as much as there are callers: they bound themselves.
public final class BlockingWorkers: Sendable {
    private struct State {
        var idle: [Int]
        var waiting: Deque<@Sendable () -> Void> = []
    }

    // Serial queues that target none of the runtime's pools each bring a thread of their own.
    private let lanes: [DispatchQueue]
    private let state: Mutex<State>

    /// - Parameter label: What debuggers call the threads.
    /// - Parameter count: 1 to 64 threads.
    public init(label: String, count: Int) {
        let count = min(max(count, 1), 64)
        lanes = (0..<count).map { DispatchQueue(label: "\(label).\($0)") }
        state = Mutex(State(idle: Array((0..<count).reversed())))
    }

    /// Runs `body` on one of the threads. It is not interrupted when the calling task is cancelled.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation { (caller: CheckedContinuation<Result<Value, Failure>, Never>) in
            submit {
                do throws(Failure) {
                    caller.resume(returning: .success(try body()))
                } catch {
                    caller.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private func submit(_ work: @escaping @Sendable () -> Void) {
        let lane: Int? = state.withLock { state in
            guard let lane = state.idle.popLast() else {
                state.waiting.append(work)
                return nil
            }
            return lane
        }
        if let lane { lanes[lane].async { self.drain(lane, first: work) } }
    }

    private func drain(_ lane: Int, first: @escaping @Sendable () -> Void) {
        var next: (@Sendable () -> Void)? = first
        while let work = next {
            work()
            next = state.withLock { state in
                if let waiting = state.waiting.popFirst() { return waiting }
                state.idle.append(lane)
                return nil
            }
        }
    }
}
