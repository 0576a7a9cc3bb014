import Crypto
import FoundationEssentials

/// The checksums that clients may send beside an object, and have back with it.
package enum S3ChecksumAlgorithm: String, Sendable, CaseIterable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64nvme = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"

    var header: String { "x-amz-checksum-\(rawValue.lowercased())" }

    init?(header: String) {
        guard let found = Self.allCases.first(where: { $0.header == header.lowercased() }) else { return nil }
        self = found
    }

    package var crc: CRC? {
        switch self {
        case .crc32: .ieee
        case .crc32c: .castagnoli
        case .crc64nvme: .nvme
        case .sha1, .sha256: nil
        }
    }
}

/// A value with what it is of. Kept as one text.
package struct S3Checksum: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case full = "FULL_OBJECT"
        /// Of the parts' checksums.
        case composite = "COMPOSITE"
    }

    package var algorithm: S3ChecksumAlgorithm
    /// In base 64; of a composite one, with the number of parts behind a hyphen.
    package var value: String
    package var kind = Kind.full

    package init(_ algorithm: S3ChecksumAlgorithm, _ value: String, _ kind: Kind = .full) {
        self.algorithm = algorithm
        self.value = value
        self.kind = kind
    }

    var text: String { "\(algorithm.rawValue) \(kind.rawValue) \(value)" }

    init?(text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, let algorithm = S3ChecksumAlgorithm(rawValue: words[0]),
            let kind = Kind(rawValue: words[1])
        else { return nil }
        self.init(algorithm, words[2], kind)
    }

    var element: String { S3XML.element("Checksum\(algorithm.rawValue)", value) }

    /// What the object's is that these parts make.
    /// - Returns: `nil` where a value is none, or cannot be put together so.
    package static func joined(_ parts: [(value: String, size: Int64)], _ algorithm: S3ChecksumAlgorithm, _ kind: Kind)
        -> S3Checksum?
    {
        let values = parts.map { Data(base64Encoded: $0.value).map { [UInt8]($0) } }
        switch kind {
        case .composite:
            var hash = S3ChecksumHash(algorithm)
            for value in values {
                guard let value else { return nil }
                hash.update(value)
            }
            return Self(algorithm, "\(hash.finish())-\(parts.count)", .composite)
        case .full:
            guard let crc = algorithm.crc else { return nil }
            var whole: UInt64?
            for (value, part) in zip(values, parts) {
                guard let value, value.count == crc.width / 8 else { return nil }
                let number = value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                whole = whole.map { crc.combine($0, number, behind: part.size) } ?? number
            }
            return whole.map { Self(algorithm, Data(crc.octets($0)).base64EncodedString()) }
        }
    }
}

/// A checksum while its bytes come in.
package struct S3ChecksumHash: Sendable {
    private enum State: Sendable {
        case crc(CRC, UInt64)
        case sha1(Insecure.SHA1)
        case sha256(SHA256)
    }

    package let algorithm: S3ChecksumAlgorithm
    private var state: State

    package init(_ algorithm: S3ChecksumAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .crc32, .crc32c, .crc64nvme: state = .crc(algorithm.crc ?? .ieee, (algorithm.crc ?? .ieee).start)
        case .sha1: state = .sha1(Insecure.SHA1())
        case .sha256: state = .sha256(SHA256())
        }
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            switch state {
            case .crc(let crc, let value): state = .crc(crc, crc.update(value, bytes))
            case .sha1(var hash):
                hash.update(bufferPointer: bytes)
                state = .sha1(hash)
            case .sha256(var hash):
                hash.update(bufferPointer: bytes)
                state = .sha256(hash)
            }
        }
    }

    /// In base 64.
    package func finish() -> String {
        switch state {
        case .crc(let crc, let value): Data(crc.octets(crc.finish(value))).base64EncodedString()
        case .sha1(let hash): Data(hash.finalize()).base64EncodedString()
        case .sha256(let hash): Data(hash.finalize()).base64EncodedString()
        }
    }
}
