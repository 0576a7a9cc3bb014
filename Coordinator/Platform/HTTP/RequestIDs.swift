import ProtocolModel
import Synchronization

/// Names for requests, `req-` and a UUID: unlike each other and those of other processes, but no secrets. Every answer
/// needs one, and the system's generator asks the kernel twice for each.
final class RequestIDs: Sendable {
    /// SplitMix64 (Steele, Lea, Flood 2014): no state comes twice, and each gives another number.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var number = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
            return number ^ number >> 31
        }
    }

    private let generator = Mutex(Generator(state: .random(in: .min ... .max)))

    func next() -> String { "req-" + generator.withLock { AnyID.random(using: &$0) }.text }
}
