import Collections
import NIOConcurrencyHelpers

/// What has arrived and was not read yet, from an event loop to one reading task. How much can pile up is for the
/// credit to bound; the mailbox tells how much was read.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var items: Deque<(element: Element, bytes: Int)> = []
        var waiter: CheckedContinuation<Element?, any Error>?
        var end: Result<Void, any Error>?
        var unreported = 0
        var isAbandoned = false
    }

    private enum Step {
        case element(Element, report: Int)
        case end(Result<Void, any Error>)
        case wait
    }

    private let state = NIOLockedValueBox(State())
    private let reportStep: Int
    private let consumed: @Sendable (Int) -> Void
    private let abandoned: @Sendable () -> Void

    /// - Parameter reportStep: How many octets are worth a call of `consumed`.
    /// - Parameter abandoned: Called once when the reader goes before the end.
    init(
        reportStep: Int, consumed: @escaping @Sendable (Int) -> Void,
        abandoned: @escaping @Sendable () -> Void = {}
    ) {
        self.reportStep = reportStep
        self.consumed = consumed
        self.abandoned = abandoned
    }

    func put(_ element: Element, bytes: Int) {
        let (waiter, report) = state.withLockedValue {
            state -> (CheckedContinuation<Element?, any Error>?, Int) in
            guard state.end == nil, !state.isAbandoned else { return (nil, 0) }
            guard let waiter = state.waiter else {
                state.items.append((element, bytes))
                return (nil, 0)
            }
            state.waiter = nil
            return (waiter, count(bytes, &state))
        }
        waiter?.resume(returning: element)
        if report > 0 { consumed(report) }
    }

    /// What was put before is still read.
    func finish(_ end: Result<Void, any Error>) {
        let waiter = state.withLockedValue { state -> CheckedContinuation<Element?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: end.map { nil })
    }

    /// - Returns: `nil` at the end. One task at a time.
    func next() async throws -> Element? {
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                switch state.withLockedValue({ step(&$0, continuation) }) {
                case .element(let element, let report):
                    continuation.resume(returning: element)
                    if report > 0 { consumed(report) }
                case .end(let end): continuation.resume(with: end.map { nil })
                case .wait: break
                }
            }
        } onCancel: {
            let waiter = state.withLockedValue { state -> CheckedContinuation<Element?, any Error>? in
                state.isAbandoned = true
                state.items.removeAll()
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
            abandoned()
        }
    }

    /// The reader is gone.
    func abandon() {
        let isEarly = state.withLockedValue { state in
            defer { state.isAbandoned = true }
            state.items.removeAll()
            return state.end == nil && !state.isAbandoned
        }
        if isEarly { abandoned() }
    }

    private func step(_ state: inout State, _ continuation: CheckedContinuation<Element?, any Error>) -> Step {
        if state.isAbandoned { return .end(.failure(CancellationError())) }
        if let item = state.items.popFirst() {
            return .element(item.element, report: count(item.bytes, &state))
        }
        if let end = state.end { return .end(end) }
        // Two readers are a mistake of the caller's; the first one loses rather than hanging for ever.
        state.waiter?.resume(throwing: CancellationError())
        state.waiter = continuation
        return .wait
    }

    private func count(_ bytes: Int, _ state: inout State) -> Int {
        state.unreported += bytes
        guard state.unreported >= reportStep else { return 0 }
        defer { state.unreported = 0 }
        return state.unreported
    }
}
