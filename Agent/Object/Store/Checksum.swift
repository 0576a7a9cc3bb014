import Crypto

/// How bytes on the disk are told from what time or a fault made of them: the first half of their SHA-256, which
/// processors compute faster than the MD5 that is the objects' public checksum.
enum BlockDigest {
    static let size = 16
    /// Octets of a file that have a digest of their own: what a read of one octet has to read.
    static let blockSize = 256 << 10

    static func of(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(bytes)).prefix(size))
    }
}

/// The public checksum of an object, while its bytes come in.
package struct ETagHash: Sendable {
    private var hash = Insecure.MD5()

    package init() {}

    package mutating func update(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }) == nil {
            hash.update(data: Array(bytes))
        }
    }

    package func finish() -> String { hash.finalize().hexadecimal }

    package static func of(_ bytes: some Collection<UInt8>) -> String {
        var hash = Self()
        hash.update(bytes)
        return hash.finish()
    }
}

extension Sequence<UInt8> {
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
