import Synchronization

/// Says yes once.
final class OnceFlag: Sendable {
    private let isTaken = Atomic<Bool>(false)

    func isFirst() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }
}
