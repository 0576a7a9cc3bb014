import AgentObject
import NIOHTTP1
import Testing

@Suite("objects: ranges, conditions, copies")
struct ReadingTests {
    private func cloud(_ text: String = "0123456789") async throws -> ObjectCloud {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/o", text, ["Content-Type": "text/plain"])
        return cloud
    }

    @Test(
        "a range is the part that it says",
        arguments: [
            ("bytes=0-3", 206, "0123"), ("bytes=4-", 206, "456789"), ("bytes=-3", 206, "789"),
            ("bytes=8-99", 206, "89"), ("bytes=-99", 206, "0123456789"), ("bytes=10-", 416, nil),
            ("bytes=-0", 416, nil),
            ("bytes=3-1", 200, "0123456789"), ("pages=1-2", 200, "0123456789"), ("bytes=a-b", 200, "0123456789")
        ])
    func ranges(range: String, status: Int, text: String?) async throws {
        let answer = try await cloud().call("GET", "c/o", ["Range": range])
        #expect(answer.status == status)
        if let text { #expect(answer.text == text) }
    }

    @Test("several ranges come as parts")
    func multipart() async throws {
        let answer = try await cloud().call("GET", "c/o", ["Range": "bytes=0-1,8-"])
        #expect(answer.status == 206)
        let boundary = try #require(answer["content-type"]?.split(separator: "=").last)
        #expect(
            answer.text == """
                --\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r
                --\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r
                --\(boundary)--
                """)
    }

    @Test("ranges of a large object read only what they need, whole blocks and parts of them")
    func largeRanges() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        let bytes = (0..<900_001).map { UInt8(truncatingIfNeeded: $0 / 251) }
        _ = try await cloud.call("PUT", "c/o", [:], bytes)
        for range in [0..<1, 262_143..<262_145, 262_144..<524_288, 100..<800_000, 900_000..<900_001] {
            let answer = try await cloud.call(
                "GET", "c/o", ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
            #expect(answer.bytes == Array(bytes[range]))
        }
    }

    @Test("conditions")
    func conditions() async throws {
        let cloud = try await cloud()
        let etag = "781e5e245d69b566979b86e28d23f2c7"
        let now = "Tue, 14 Nov 2023 22:13:21 GMT", before = "Mon, 13 Nov 2023 22:13:20 GMT"
        for (headers, status) in [
            (["If-None-Match": etag], 304), (["If-None-Match": "\"\(etag)\""], 304), (["If-None-Match": "*"], 304),
            (["If-None-Match": "other"], 200), (["If-Match": etag], 200), (["If-Match": "other"], 412),
            (["If-Modified-Since": now], 304), (["If-Modified-Since": before], 200),
            (["If-Unmodified-Since": now], 200), (["If-Unmodified-Since": before], 412)
        ] as [(HTTPHeaders, Int)] {
            #expect(try await cloud.call("GET", "c/o", headers).status == status, "\(headers)")
        }
        let ranged: HTTPHeaders = ["Range": "bytes=0-1", "If-Range": "other"]
        #expect(try await cloud.call("GET", "c/o", ranged).text == "0123456789")
        #expect(try await cloud.call("PUT", "c/o", ["If-None-Match": "*"]).status == 412)
        #expect(try await cloud.call("PUT", "c/new", ["If-None-Match": "*"]).status == 201)
    }

    @Test("copies share the bytes and have metadata of their own", arguments: [10, 200_000])
    func copies(size: Int) async throws {
        let cloud = try ObjectCloud()
        for name in ["c", "d"] { _ = try await cloud.call("PUT", name) }
        let bytes = [UInt8](repeating: 5, count: size)
        _ = try await cloud.call("PUT", "c/o", ["X-Object-Meta-Src": "1", "Content-Type": "text/x"], bytes)
        let copy = try await cloud.call("COPY", "c/o", ["Destination": "d/p", "X-Object-Meta-New": "2"])
        #expect(copy.status == 201)
        #expect(copy["x-copied-from"] == "c/o")
        #expect(copy["x-object-meta-src"] == "1" && copy["x-object-meta-new"] == "2")
        #expect(copy["x-copied-from-last-modified"] != nil)
        let fresh = try await cloud.call(
            "PUT", "d/q", ["X-Copy-From": "/c/o", "X-Fresh-Metadata": "true"])
        #expect(fresh.status == 201 && fresh["x-object-meta-src"] == nil)
        // To itself, which changes the metadata.
        #expect(try await cloud.call("PUT", "c/o", ["X-Copy-From": "c/o", "Content-Type": "text/y"]).status == 201)
        #expect(try await cloud.call("DELETE", "c/o").status == 204)
        try await cloud.store.collectGarbage()
        #expect(try await cloud.call("GET", "d/p").bytes == bytes)
        #expect(try await cloud.call("DELETE", "d/p").status == 204)
        #expect(try await cloud.call("GET", "d/q").bytes == bytes)
        #expect(try await cloud.counters().bytes == Int64(size))
        #expect(try await cloud.call("COPY", "d/q", ["Destination": "nowhere"]).status == 412)
        #expect(try await cloud.call("COPY", "d/q", ["Destination": "none/x"]).status == 404)
        #expect(try await cloud.call("PUT", "d/q", ["X-Copy-From": "d/q"], [1]).status == 400)
    }

    @Test("an object whose time is over is gone, and the housekeeping removes it")
    func expiry() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        #expect(try await cloud.put("c/o", "x", ["X-Delete-After": "10"]).status == 201)
        #expect(try await cloud.call("GET", "c/o")["x-delete-at"] == "1700000010")
        #expect(try await cloud.put("c/p", "x", ["X-Delete-At": "1600000000"]).status == 400)
        #expect(try await cloud.put("c/p", "x", ["X-Delete-After": "soon"]).status == 400)
        cloud.clock.advance(seconds: 11)
        #expect(try await cloud.call("GET", "c/o").status == 404)
        #expect(try await cloud.counters().objects == 1)
        try await ObjectHousekeeping(store: cloud.store, clock: cloud.clock).pass()
        let counters = try await cloud.counters()
        #expect(counters.objects == 0 && counters.bytes == 0 && counters.listed == 0)
    }
}
