import CNetlink
import Dispatch
import Glibc
import Synchronization

/// A thread of our own that lives in one network namespace and runs the jobs of the actors that name it their executor.
/// Tasks of the shared pool never change a namespace and never wait for the kernel; what must do either runs here.
public final class NamespaceThread: SerialExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isClosed = false
    }

    /// Bounded by the tasks that wait for the actors on this thread.
    private let queue = Mutex(Queue())
    private let wakeUp = DispatchSemaphore(value: 0)

    /// - Parameter namespace: a file such as `/run/netns/NAME`; `nil` for the process's own namespace.
    public init(namespace: String?) throws(NetlinkError) {
        let started = Mutex<NetlinkError?>(nil)
        let ready = DispatchSemaphore(value: 0)
        let box = StartBox { [self] in
            do throws(NetlinkError) {
                if let namespace { try Self.enter(namespace) }
            } catch {
                started.withLock { $0 = error }
                ready.signal()
                return
            }
            ready.signal()
            run()
        }
        try Self.detach(box)
        ready.wait()
        if let failure = started.withLock({ $0 }) { throw failure }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        wakeUp.signal()
    }

    /// Ends the thread once what is queued has run. No actor may use it afterwards.
    public func close() {
        queue.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    private func run() {
        while true {
            wakeUp.wait()
            let (jobs, isClosed) = queue.withLock { queue in
                defer { queue.jobs.removeAll(keepingCapacity: true) }
                return (queue.jobs, queue.isClosed)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if isClosed, jobs.isEmpty { return }
        }
    }

    /// Runs `body` on a fresh thread inside the namespace and waits for it: for opening sockets and the like. So the
    /// caller must be on a thread of its own too.
    public static func once<Value: Sendable>(
        in namespace: String?, _ body: @escaping @Sendable () throws(NetlinkError) -> Value
    ) throws(NetlinkError) -> Value {
        let outcome = Mutex<Result<Value, NetlinkError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        try detach(
            StartBox {
                let result: Result<Value, NetlinkError>
                do throws(NetlinkError) {
                    if let namespace { try enter(namespace) }
                    result = .success(try body())
                } catch {
                    result = .failure(error)
                }
                outcome.withLock { $0 = result }
                done.signal()
            })
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { throw NetlinkError(operation: "run thread", errno: EIO) }
        return try result.get()
    }

    private static func enter(_ namespace: String) throws(NetlinkError) {
        let descriptor = open(namespace, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NetlinkError(operation: "open namespace \(namespace)", errno: errno) }
        defer { Glibc.close(descriptor) }
        guard skerry_setns(descriptor) == 0 else {
            throw NetlinkError(operation: "enter namespace \(namespace)", errno: errno)
        }
    }

    private final class StartBox: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func detach(_ box: StartBox) throws(NetlinkError) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let argument = Unmanaged.passRetained(box)
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<StartBox>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw NetlinkError(operation: "start thread", errno: result)
        }
    }
}
