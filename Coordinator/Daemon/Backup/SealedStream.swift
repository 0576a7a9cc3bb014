import Crypto

/// The body of an age file: pieces of 64 KiB, each sealed with its number and with whether it is the last, so that none
/// can be changed, moved, left out or cut off unnoticed.
enum SealedStream {
    static let piece = 65_536
    static let tag = 16
    static let salt = 16

    static func key(_ fileKey: SymmetricKey, salt: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: fileKey, salt: salt, info: Array("payload".utf8), outputByteCount: 32)
    }

    static func nonce(_ number: UInt64, isLast: Bool) -> [UInt8] {
        [0, 0, 0] + withUnsafeBytes(of: number.bigEndian) { Array($0) } + [isLast ? 1 : 0]
    }
}

/// Seals what it is given into a file.
package final class SealedWriter {
    private let file: PlainFile
    private let key: SymmetricKey
    private var number: UInt64 = 0
    private var held: [UInt8] = []
    /// Of the sealed file, for who keeps it.
    private(set) var digest = SHA256()

    package init(_ file: PlainFile, lock: BackupLock) throws {
        self.file = file
        let fileKey = SymmetricKey(size: .bits128)
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
        key = SealedStream.key(fileKey, salt: salt)
        held.reserveCapacity(SealedStream.piece)
        try put(Array(try SealedHeader.make(fileKey, for: lock).utf8) + salt)
    }

    package func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if held.count == SealedStream.piece { try seal(isLast: false) }
            let part = rest.prefix(SealedStream.piece - held.count)
            held += part
            rest = rest.dropFirst(part.count)
        }
    }

    package func finish() throws {
        try seal(isLast: true)
        try file.flush()
    }

    private func seal(isLast: Bool) throws {
        let nonce = try ChaChaPoly.Nonce(data: SealedStream.nonce(number, isLast: isLast))
        let box = try ChaChaPoly.seal(held, using: key, nonce: nonce)
        try put(Array(box.ciphertext) + Array(box.tag))
        number += 1
        held.removeAll(keepingCapacity: true)
    }

    private func put(_ bytes: [UInt8]) throws {
        digest.update(data: bytes)
        try file.write(bytes)
    }
}

/// Opens a sealed file from its start to its end. What it gives out was as it had been sealed; whether there is an end
/// to it shows only at the end.
package final class SealedReader {
    private let file: PlainFile
    private let key: SymmetricKey
    private var number: UInt64 = 0
    private var next: [UInt8]
    private var held: ArraySlice<UInt8> = []
    package private(set) var isAtEnd = false

    /// - Throws: ``StartError`` for another file, a wrong key, and one that is damaged.
    package init(_ file: PlainFile, key: BackupKey) throws {
        self.file = file
        try file.rewind()
        let fileKey = try SealedHeader.open(file, with: key)
        self.key = SealedStream.key(fileKey, salt: try file.read(SealedStream.salt))
        next = try file.read(SealedStream.piece + SealedStream.tag)
    }

    /// - Returns: So many octets, fewer only at the end.
    package func read(_ count: Int) throws -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count)
        while out.count < count {
            if held.isEmpty {
                guard !isAtEnd else { break }
                try openPiece()
            }
            let part = held.prefix(count - out.count)
            out += part
            held = held.dropFirst(part.count)
        }
        return out
    }

    private func openPiece() throws {
        let piece = next
        next = piece.count == SealedStream.piece + SealedStream.tag ? try file.read(piece.count) : []
        isAtEnd = next.isEmpty
        guard piece.count >= SealedStream.tag,
            let box = try? ChaChaPoly.SealedBox(combined: SealedStream.nonce(number, isLast: isAtEnd) + piece),
            let opened = try? ChaChaPoly.open(box, using: key)
        else {
            throw StartError(
                "'\(file.path)' is damaged or cut off: what was sealed in it ends after \(number * 64) KiB.")
        }
        number += 1
        held = Array(opened)[...]
    }
}
