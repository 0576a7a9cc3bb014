import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The body of a signed request, taken out of its wrapping and held to all that the request says of it: its length, its
/// hash, the signatures of its chunks, its checksum and MD5. What does not hold is known only at the end: until then
/// nothing may be made of the bytes. For one task.
package final class S3Intake {
    /// How the body comes.
    package struct Wrapping: Hashable, Sendable {
        /// What the signature covers in place of the body's hash.
        package var payload: String
        var isChunked = false
        var isSigned = false
        var hasTrailer = false
        /// 64 hexadecimal digits.
        var hash: String?

        /// - Throws: ``S3Refusal``.
        package init(_ payload: String) throws {
            self.payload = payload
            switch payload {
            case "UNSIGNED-PAYLOAD": break
            case "STREAMING-UNSIGNED-PAYLOAD-TRAILER": (isChunked, hasTrailer) = (true, true)
            case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (isChunked, isSigned) = (true, true)
            case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (isChunked, isSigned, hasTrailer) = (true, true, true)
            default:
                guard payload.utf8.count == 64, payload.allSatisfy(\.isHexDigit) else {
                    throw S3Refusal.argument(
                        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                            + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
                            + "sha256 value.", "x-amz-content-sha256", payload)
                }
                hash = payload.lowercased()
            }
        }
    }

    /// Octets without the wrapping; `nil` where the request does not say.
    package let length: Int64?
    /// What was said of the body and has been found true; after the end.
    package private(set) var checksum: S3Checksum?

    private let wrapping: Wrapping
    private let md5: String?
    private var chunks: S3ChunkReader
    private var count: Int64 = 0
    private var hash = SHA256()
    private var md5Hash = Insecure.MD5()
    private var checksumHash: S3ChecksumHash?
    /// `nil`: it comes behind the body.
    private var announced: String?
    private var isOver = false

    /// - Parameter algorithm: Of the checksum that is to be known at the end, where the request names none.
    package init(
        _ request: ObjectRequest, _ wrapping: Wrapping, signer: S3ChunkSigner?, algorithm: S3ChecksumAlgorithm? = nil
    ) throws {
        self.wrapping = wrapping
        let headers = request.headers
        length = try Self.length(request, wrapping)
        md5 = try request.header("content-md5").map { text in
            guard let data = Data(base64Encoded: text), data.count == 16 else {
                throw S3Refusal(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
            }
            return [UInt8](data).hexadecimal
        }
        chunks = S3ChunkReader(request.body, isChunked: wrapping.isChunked, signer: wrapping.isSigned ? signer : nil)
        let given = headers.compactMap { header in S3ChecksumAlgorithm(header: header.name).map { ($0, header.value) } }
        guard given.count <= 1 else {
            throw S3Refusal.invalid(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
        }
        var chosen = given.first?.0
        announced = given.first?.1.trimmed
        if wrapping.hasTrailer {
            guard let name = request.header("x-amz-trailer")?.lowercased(),
                let trailer = S3ChecksumAlgorithm(header: name)
            else { throw S3Refusal.invalid("The value specified in the x-amz-trailer header is not supported") }
            guard given.isEmpty else {
                throw S3Refusal.invalid(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
            }
            chosen = trailer
        } else if request.header("x-amz-trailer") != nil {
            throw S3Refusal.invalid("x-amz-trailer is for bodies that have a trailer")
        }
        if let chosen, let algorithm, chosen != algorithm {
            throw S3Refusal.invalid(
                "Checksum Type mismatch occurred, expected checksum Type: \(algorithm.rawValue.lowercased()), actual "
                    + "checksum Type: \(chosen.rawValue.lowercased())")
        }
        checksumHash = (chosen ?? algorithm).map { S3ChecksumHash($0) }
    }

    private static func length(_ request: ObjectRequest, _ wrapping: Wrapping) throws -> Int64? {
        guard wrapping.isChunked else {
            guard let length = request.contentLength else { return nil }
            guard length >= 0 else { throw S3Refusal.argument("The length is invalid", "Content-Length", "\(length)") }
            return length
        }
        guard let length = request.header("x-amz-decoded-content-length").flatMap({ Int64($0) }), length >= 0 else {
            throw S3Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        }
        return length
    }

    /// - Returns: `nil` behind the last, when all holds.
    /// - Throws: ``S3Refusal``.
    package func next() async throws -> [UInt8]? {
        guard !isOver else { return nil }
        guard let piece = try await chunks.next() else {
            isOver = true
            try finish()
            return nil
        }
        count += Int64(piece.count)
        if let length, count > length { throw S3Refusal.incompleteBody }
        if wrapping.hash != nil { hash.update(data: piece) }
        if md5 != nil { md5Hash.update(data: piece) }
        checksumHash?.update(piece)
        return piece
    }

    /// - Throws: ``S3Refusal``, where there is more of it too.
    package func collect(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next() {
            bytes += piece
            guard bytes.count <= limit else { throw S3Refusal.malformedXML }
        }
        return bytes
    }

    private func finish() throws {
        if let length, count != length { throw S3Refusal.incompleteBody }
        if let wanted = wrapping.hash, wanted != Array(hash.finalize()).hexadecimal {
            throw S3Refusal(
                400, "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.")
        }
        if let md5, md5 != Array(md5Hash.finalize()).hexadecimal { throw S3Refusal.badDigest }
        guard let checksumHash else { return }
        let value = checksumHash.finish()
        if wrapping.hasTrailer {
            guard let trailer = chunks.trailers[checksumHash.algorithm.header] else {
                throw S3Refusal(
                    400, "MalformedTrailerError", "The request contained trailing data that was not well-formed")
            }
            announced = trailer
        }
        if let announced, announced != value {
            var refusal = S3Refusal.badDigest
            refusal.message =
                "The \(checksumHash.algorithm.rawValue) you specified did not match the calculated checksum."
            throw refusal
        }
        checksum = S3Checksum(checksumHash.algorithm, value)
    }
}

/// Takes a body out of its chunks: a length in hexadecimal digits and maybe a signature, the octets, and behind the empty
/// one maybe trailing fields.
struct S3ChunkReader {
    private enum State { case size, data(Int64), trailers, end }

    private static let lineLimit = 1024
    private static let trailerLimit = 8

    private let body: RequestBody
    private let isChunked: Bool
    private var signer: S3ChunkSigner?
    private let isSigned: Bool
    private var state = State.size
    private var buffer = ByteBuffer()
    private var hash = SHA256()
    private var signature = ""
    private(set) var trailers: [String: String] = [:]

    init(_ body: RequestBody, isChunked: Bool, signer: S3ChunkSigner?) {
        self.body = body
        self.isChunked = isChunked
        self.signer = signer
        isSigned = signer != nil
    }

    mutating func next() async throws -> [UInt8]? {
        guard isChunked else { return try await body.next().map { Array($0.readableBytesView) } }
        while true {
            switch state {
            case .size: try await readSize()
            case .data(let left):
                if buffer.readableBytes == 0 { try await more() }
                let count = Int(min(left, Int64(buffer.readableBytes)))
                let bytes = buffer.readBytes(length: count) ?? []
                if isSigned { hash.update(data: bytes) }
                state = .data(left - Int64(count))
                if left == Int64(count) { try await endChunk() }
                return bytes
            case .trailers: try await readTrailers()
            case .end: return nil
            }
        }
    }

    private mutating func more() async throws {
        guard let piece = try await body.next() else { throw S3Refusal.incompleteBody }
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(piece)
    }

    /// Without its end; `nil` behind the body's.
    private mutating func line(orEnd: Bool = false) async throws -> String? {
        while true {
            if let end = buffer.readableBytesView.firstIndex(of: 10) {
                let count = end - buffer.readerIndex
                guard count <= Self.lineLimit else { break }
                var bytes = buffer.readBytes(length: count) ?? []
                buffer.moveReaderIndex(forwardBy: 1)
                if bytes.last == 13 { bytes.removeLast() }
                return String(decoding: bytes, as: UTF8.self)
            }
            guard buffer.readableBytes <= Self.lineLimit else { break }
            guard let piece = try await body.next() else {
                guard orEnd, buffer.readableBytes == 0 else { throw S3Refusal.incompleteBody }
                return nil
            }
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(piece)
        }
        throw S3Refusal.invalid("A chunk of the body is malformed.")
    }

    private mutating func readSize() async throws {
        let parts = (try await line() ?? "").split(separator: ";", omittingEmptySubsequences: false).map {
            String($0).trimmed
        }
        guard let digits = parts.first, digits.utf8.count <= 12, !digits.isEmpty, digits.allSatisfy(\.isHexDigit),
            let size = Int64(digits, radix: 16)
        else { throw S3Refusal.invalid("A chunk of the body is malformed.") }
        signature = parts.dropFirst().first { $0.hasPrefix("chunk-signature=") }.map { String($0.dropFirst(16)) } ?? ""
        hash = SHA256()
        guard size == 0 else {
            state = .data(size)
            return
        }
        try checkSignature()
        state = .trailers
    }

    private mutating func endChunk() async throws {
        guard try await line() == "" else { throw S3Refusal.invalid("A chunk of the body is malformed.") }
        try checkSignature()
        state = .size
    }

    private mutating func checkSignature() throws {
        guard isSigned else { return }
        let right = signer?.isRight(signature, hash: Array(hash.finalize()).hexadecimal) ?? false
        guard right else { throw S3Refusal.signatureDoesNotMatch }
    }

    private mutating func readTrailers() async throws {
        var lines = "", signature: String?
        for _ in 0..<Self.trailerLimit {
            guard let line = try await line(orEnd: true) else { break }
            // Some put an empty line between the fields and their signature.
            if line.isEmpty { continue }
            let pair = line.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
            guard pair.count == 2 else { break }
            let name = pair[0].lowercased()
            if name == "x-amz-trailer-signature" {
                signature = pair[1]
            } else {
                trailers[name] = pair[1]
                lines += "\(name):\(pair[1])\n"
            }
        }
        if try await body.next() != nil || buffer.readableBytes > 0 {
            throw S3Refusal(
                400, "MalformedTrailerError", "The request contained trailing data that was not well-formed")
        }
        if isSigned, !trailers.isEmpty {
            guard let signature, signer?.isRight(signature, ofTrailers: lines) == true else {
                throw S3Refusal.signatureDoesNotMatch
            }
        }
        state = .end
    }
}
