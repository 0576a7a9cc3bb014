import Synchronization

/// Files that readers go on to later: they stay as long as somebody may.
final class HeldFiles: Sendable {
    private let counts = Mutex<[Int64: Int]>([:])

    func hold(_ ids: [Int64]) { counts.withLock { counts in for id in ids { counts[id, default: 0] += 1 } } }

    func letGo(_ ids: [Int64]) {
        counts.withLock { counts in
            for id in ids {
                let left = counts[id, default: 1] - 1
                counts[id] = left == 0 ? nil : left
            }
        }
    }

    func isHeld(_ id: Int64) -> Bool { counts.withLock { $0[id] != nil } }
}

/// Reads contents that lie behind each other as one. The last one that was read from is kept open.
final class PieceReader: Sendable {
    private let pieces: [ContentReference]
    /// Where each begins.
    private let starts: [Int64]
    private let held: HeldFiles
    private let open: @Sendable (ContentReference) async throws -> ContentReader
    private let last = Mutex<(number: Int, reader: ContentReader)?>(nil)

    /// - Parameter held: Told of the pieces at once, so that what it is asked behind that is true until this is gone.
    init(
        _ pieces: [ContentReference], _ held: HeldFiles,
        _ open: @escaping @Sendable (ContentReference) async throws -> ContentReader
    ) {
        self.pieces = pieces
        self.held = held
        var next: Int64 = 0
        starts = pieces.map { piece in
            defer { next += piece.size }
            return next
        }
        self.open = open
        held.hold(pieces.map(\.id))
    }

    deinit { held.letGo(pieces.map(\.id)) }

    func read(from offset: Int64, upTo end: Int64) async throws -> [UInt8] {
        let number = piece(at: offset)
        let reader: ContentReader
        if let open = last.withLock({ $0?.number == number ? $0?.reader : nil }) {
            reader = open
        } else {
            reader = try await open(pieces[number])
            last.withLock { $0 = (number, reader) }
        }
        return try await reader.read(from: offset - starts[number], upTo: end - starts[number])
    }

    /// The last one that begins at the offset or before, which has octets there: empty pieces are none.
    private func piece(at offset: Int64) -> Int {
        var low = 0, high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
