import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// noVNC's files as the operator's system has them, and the page of the serial console.
struct ConsolePages: Sendable {
    let folder: String

    typealias Browser = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private struct Answer: Sendable {
        var status: HTTPResponseStatus
        var type = "text/html; charset=utf-8"
        var bytes: [UInt8] = []

        init(_ status: HTTPResponseStatus, type: String = "text/html; charset=utf-8", _ bytes: [UInt8]) {
            self.status = status
            self.type = type
            self.bytes = bytes
        }

        init(_ status: HTTPResponseStatus, _ text: String) { self.init(status, Array(text.utf8)) }
    }

    /// noVNC's largest file is some hundred KiB.
    private static let largestFile = 4 << 20

    func serve(_ browser: Browser) async {
        try? await browser.executeThenClose { requests, writer in
            for try await case .head(let head) in requests {
                let answer = await answer(head)
                let isLast = !head.isKeepAlive || answer.status != .ok
                var headers: HTTPHeaders = [
                    "Content-Type": answer.type, "Content-Length": String(answer.bytes.count),
                    "X-Content-Type-Options": "nosniff",
                    // An address may have a token in it.
                    "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"
                ]
                if isLast { headers.add(name: "Connection", value: "close") }
                let response = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
                try await writer.write(.head(response))
                if head.method != .HEAD {
                    try await writer.write(.body(.byteBuffer(ByteBuffer(bytes: answer.bytes))))
                }
                try await writer.write(.end(nil))
                if isLast { return }
            }
        }
    }

    private func answer(_ head: HTTPRequestHead) async -> Answer {
        if head.headers.contains(name: "Upgrade") { return Answer(.forbidden, []) }
        guard head.method == .GET || head.method == .HEAD else { return Answer(.methodNotAllowed, []) }
        switch ConsoleRequest(uri: head.uri, isUpgrade: false) {
        case .serialPage: return Answer(.ok, SerialPage.html)
        case .file(let path): return await file(path)
        case .connect, .unknown: return Answer(.notFound, Self.page("There is no such page."))
        }
    }

    private func file(_ path: String) async -> Answer {
        guard let type = ConsoleRequest.mediaType(of: path) else {
            return Answer(.notFound, Self.page("There is no such page."))
        }
        let whole = folder + "/" + path
        if let bytes = try? await NIOThreadPool.singleton.runIfActive({ try Self.read(whole) }) {
            return Answer(.ok, type: type, bytes)
        }
        guard path == "vnc_lite.html" else { return Answer(.notFound, Self.page("There is no such page.")) }
        return Answer(
            .notFound,
            Self.page(
                "noVNC is not installed where the coordinator runs: its operator installs Debian's package "
                    + "<code>novnc</code>, or says in the configuration where noVNC is."))
    }

    private struct Unreadable: Error {}

    private static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Unreadable() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= largestFile else {
            throw Unreadable()
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let start = count
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress?.advanced(by: start), $0.count - start)
            }
            guard got > 0 else { throw Unreadable() }
            count += got
        }
        return bytes
    }

    private static func page(_ text: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Console</title></head><body><p>\(text)</p></body></html>

        """
    }
}
