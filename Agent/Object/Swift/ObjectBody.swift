/// The bytes of an object as a client sees them: those of one content, or of many behind each other.
struct ObjectBody: Sendable {
    struct Piece: Sendable, Hashable {
        var content: ContentReference
        var range: Range<Int64>
    }

    var pieces: [Piece] = []
    private(set) var size: Int64 = 0

    init() {}

    init(_ content: ContentReference) { append(content, 0..<content.size) }

    mutating func append(_ content: ContentReference, _ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        pieces.append(Piece(content: content, range: range))
        size += Int64(range.count)
    }

    mutating func append(_ body: ObjectBody, _ range: Range<Int64>) {
        for piece in body.slice(range) { append(piece.content, piece.range) }
    }

    /// The pieces that a part is made of.
    func slice(_ range: Range<Int64>) -> [Piece] {
        var parts: [Piece] = []
        var start: Int64 = 0
        for piece in pieces {
            let count = Int64(piece.range.count)
            let from = max(range.lowerBound, start), to = min(range.upperBound, start + count)
            if from < to {
                let first = piece.range.lowerBound + from - start
                parts.append(Piece(content: piece.content, range: first..<(first + to - from)))
            }
            start += count
            if start >= range.upperBound { break }
        }
        return parts
    }
}

/// Reads pieces one block after the other. For one task.
final class BodyCursor {
    private let store: any ObjectStore
    private var pieces: [ObjectBody.Piece].Iterator
    private var piece: ObjectBody.Piece?
    private var reader: ContentReader?

    init(_ store: any ObjectStore, _ pieces: [ObjectBody.Piece]) {
        self.store = store
        self.pieces = pieces.makeIterator()
    }

    /// - Returns: `nil` behind the last.
    func next() async throws -> [UInt8]? {
        if piece == nil {
            piece = pieces.next()
            reader = nil
        }
        guard let current = piece else { return nil }
        let reader = if let reader { reader } else { try await store.open(current.content) }
        self.reader = reader
        let bytes = try await reader.read(from: current.range.lowerBound, upTo: current.range.upperBound)
        guard !bytes.isEmpty else { throw StoreFailure.damaged(current.content) }
        let next = current.range.lowerBound + Int64(bytes.count)
        piece =
            next < current.range.upperBound
            ? ObjectBody.Piece(content: current.content, range: next..<current.range.upperBound) : nil
        return bytes
    }
}
