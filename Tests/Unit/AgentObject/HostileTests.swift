import AgentObject
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite("objects: hostile requests")
struct HostileTests {
    @Test(
        "names are names, whatever they look like",
        arguments: [
            "..", "%2e%2e", "../../etc/passwd", "%2E%2e/%2e%2e/x", "a/../b", "//x", "a//b", ".", "%25", "a%0Ab",
            "\u{fffd}",
            "CON", "~", "'; DROP TABLE objects; --", "%FF".replacing("%FF", with: "%F0%9F%98%80")
        ])
    func names(name: String) async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        let path = "c/" + (name.contains("%") ? name : PercentText.encode(name))
        let put = try await cloud.put(path, name)
        #expect(put.status == 201)
        #expect(try await cloud.call("GET", path).text == name)
        let listed = try await cloud.call("GET", "c?format=json").text
        #expect(listed.contains("\"bytes\": \(name.utf8.count)"))
        #expect(
            Set(Folder.names(cloud.folder)) == [
                "index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "segments", "large"
            ])
        #expect(try await cloud.call("DELETE", path).status == 204)
    }

    @Test("two spellings of one letter are two names")
    func normalization() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/%C3%A9", "composed")
        _ = try await cloud.put("c/e%CC%81", "decomposed")
        #expect(try await cloud.call("GET", "c/%C3%A9").text == "composed")
        #expect(try await cloud.call("GET", "c/e%CC%81").text == "decomposed")
        #expect(try await cloud.call("HEAD", "c")["x-container-object-count"] == "2")
    }

    @Test("a slash is a slash before any mark, and what one container allows is not another's")
    func octets() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        #expect(try await cloud.put("c/%CC%81x", "marked").status == 201)
        #expect(try await cloud.call("HEAD", "c")["x-container-object-count"] == "1")
        #expect(try await cloud.call("GET", "c/%CC%81x").text == "marked")
        _ = try await cloud.call("PUT", "%C3%A9", ["X-Container-Read": "*:*", "X-Container-Write": "*:*"])
        _ = try await cloud.call("PUT", "e%CC%81")
        _ = try await cloud.put("e%CC%81/secret", "secret")
        let copy = try await cloud.call(
            "PUT", ObjectCloud.account + "/%C3%A9/o", ["X-Copy-From": "e%CC%81/secret"], as: .otherOwner)
        #expect(copy.status == 403)
        let forged: HTTPHeaders = ["X-Versions-Location": "a%0Ax-container-read: .r:*%25"]
        #expect(try await cloud.call("PUT", "v", forged).status == 400)
        #expect(try await cloud.call("PUT", "v", ["X-Versions-Location": "50%25 off"]).status == 201)
        #expect(try await cloud.call("HEAD", "v")["x-versions-location"] == "50% off")
    }

    @Test(
        "what is no name is refused",
        arguments: [
            ("/v1/AUTH_x/c/a%00b", 412), ("/v1/AUTH_x/c/%FF", 412), ("/v2/AUTH_x", 400), ("/v1", 404), ("/", 404),
            ("/v1/", 404),
            ("/v1/AUTH_x//o", 404), ("/v1/AUTH_x/c/" + String(repeating: "n", count: 1025), 400),
            ("/v1/AUTH_x/" + String(repeating: "n", count: 257), 400), ("/etc/passwd", 404), ("/v1/../../x", 403)
        ])
    func noNames(path: String, status: Int) async throws {
        #expect(try await ObjectCloud().call("GET", path).status == status)
    }

    @Test("requests of many parts: nothing is read of those who do not say who they are, and reports are bounded")
    func bulk() async throws {
        let cloud = try ObjectCloud()
        let long = String(repeating: "n", count: 2000)
        let lines = Array((0..<1100).map { "%FF\(long)\($0)\n" }.joined().utf8.prefix(2 << 20))
        for call in [("POST", "?bulk-delete"), ("DELETE", "?bulk-delete"), ("PUT", "?extract-archive=tar")] {
            #expect(try await cloud.call(call.0, call.1, [:], lines, as: nil).status == 401)
        }
        let many = Array((0..<1100).map { "%FF\($0)\n" }.joined().utf8)
        let report = try await cloud.call("POST", "?bulk-delete", [:], many).text
        #expect(report.split(separator: "\n").count { $0.hasSuffix(", 412 Precondition Failed") } == 1000)
        let wide = try await cloud.call("POST", "?bulk-delete", [:], Array("%FF\(long)".utf8)).text
        #expect(wide.contains("nnn, 412 Precondition Failed") && wide.utf8.count < 1300)
    }

    @Test("metadata is bounded, and what would be forgotten is refused")
    func metadata() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        var many = HTTPHeaders()
        for number in 0..<91 { many.add(name: "X-Object-Meta-\(number)", value: "x") }
        let long = String(repeating: "v", count: 257)
        for headers in [
            many, ["X-Object-Meta-A": long], ["X-Object-Meta-\(String(repeating: "n", count: 129))": "x"],
            ["X-Object-Meta-": "x"], ["X-Symlink-Target": "c/o"]
        ] as [HTTPHeaders] {
            #expect(try await cloud.put("c/o", "x", headers).status == 400)
        }
        for headers in [
            ["X-Container-Sync-To": "http://x"], ["X-Versions-Enabled": "true"], ["X-Storage-Policy": "gold"]
        ] as [HTTPHeaders] {
            #expect(try await cloud.call("PUT", "d", headers).status == 400)
        }
        #expect(try await cloud.call("POST", "", ["X-Account-Access-Control": "{}"]).status == 400)
        #expect(try await cloud.call("PUT", "c/o", ["Content-Length": "5368709123"]).status == 413)
        #expect(try await cloud.call("PATCH", "c/o").status == 405)
        // Fifty ranges at most.
        _ = try await cloud.put("c/o", "0123456789")
        let ranges = (0..<51).map { _ in "0-1" }.joined(separator: ",")
        #expect(try await cloud.call("GET", "c/o", ["Range": "bytes=" + ranges]).status == 416)
    }

    /// A server on a port, and what raw bytes it answers with.
    private func raw(_ text: String, idle: TimeAmount = .seconds(5)) async throws -> String {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c", ["X-Container-Write": "*:*", "X-Container-Read": ".r:*"])
        var settings = ObjectServer.Settings(host: "127.0.0.1", port: 0)
        settings.idleTimeout = idle
        let group = MultiThreadedEventLoopGroup.singleton
        let server = ObjectServer(
            responder: cloud.service, settings: settings, tls: nil, group: group, logger: Logger(label: "server"))
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let task = Task { try await server.run { port.yield($0) } }
        defer { task.cancel() }
        let number = try #require(await ports.first { _ in true })
        let client = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: number) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await client.executeThenClose { inbound, outbound in
            var answer = ByteBuffer()
            // Refused in the middle, the rest of it goes nowhere.
            do {
                try await outbound.write(ByteBuffer(string: text))
                for try await var piece in inbound { answer.writeBuffer(&piece) }
            } catch {}
            return String(buffer: answer)
        }
    }

    private static let account = ObjectCloud.account

    @Test("requests on one connection are answered in their order, chunked bodies too")
    func pipelining() async throws {
        let answer = try await raw(
            "PUT \(Self.account)/c/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n3\r\n, x\r\n0\r\n\r\n"
                + "GET \(Self.account)/c/o HTTP/1.1\r\nHost: x\r\n\r\n"
                + "HEAD \(Self.account)/c/o HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["201", "200", "200"])
        #expect(answer.contains("\r\n\r\nhello, xHTTP/1.1 200"))
        #expect(answer.lowercased().contains("content-length: 8"))
    }

    @Test("a client that waits for a word before it sends gets it, or the refusal")
    func expectContinue() async throws {
        let put =
            "PUT \(Self.account)/c/o HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n"
        let granted = try await raw(put + "X-Auth-Token: owner\r\n\r\nhi")
        #expect(granted.hasPrefix("HTTP/1.1 100 Continue\r\n") && granted.contains("HTTP/1.1 201 Created"))
        let refused = try await raw(put + "\r\n")
        #expect(refused.hasPrefix("HTTP/1.1 401"))
    }

    @Test("too many fields, what is not HTTP, and a client that stops sending")
    func malformed() async throws {
        let fields = (0..<1000).map { "X-\($0): \($0)\r\n" }.joined()
        #expect(try await raw("GET /info HTTP/1.1\r\nHost: x\r\n\(fields)\r\n").hasPrefix("HTTP/1.1 4"))
        #expect(try await raw("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400"))
        let slow = try await raw(
            "PUT \(Self.account)/c/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\nContent-Length: 10\r\n\r\nhal",
            idle: .milliseconds(300))
        #expect(slow.isEmpty || slow.hasPrefix("HTTP/1.1 499"))
    }
}
