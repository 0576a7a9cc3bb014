import AgentObject
import NIOHTTP1
import Testing

@Suite("listings")
struct ListingTests {
    static let names = ["a", "b/1", "b/2", "b/c/3", "c", "d/4", "é"]

    static func filled() async throws -> ObjectCloud {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        for name in names { _ = try await cloud.put("c/\(PercentText.encode(name))", name) }
        return cloud
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let query: String
        let shown: [String]
        var testDescription: String { query }

        init(_ query: String, _ shown: String...) {
            self.query = query
            self.shown = shown
        }
    }

    static let cases: [Case] = [
        Case("", "a", "b/1", "b/2", "b/c/3", "c", "d/4", "é"),
        Case("reverse=true", "é", "d/4", "c", "b/c/3", "b/2", "b/1", "a"),
        Case("limit=2", "a", "b/1"),
        Case("limit=0"),
        Case("marker=b/2", "b/c/3", "c", "d/4", "é"),
        Case("end_marker=b/2", "a", "b/1"),
        Case("marker=a&end_marker=c", "b/1", "b/2", "b/c/3"),
        Case("marker=c&reverse=on", "b/c/3", "b/2", "b/1", "a"),
        Case("marker=c&end_marker=b/1&reverse=on", "b/c/3", "b/2"),
        Case("prefix=b/", "b/1", "b/2", "b/c/3"),
        Case("prefix=zz"),
        Case("delimiter=/", "a", "b/", "c", "d/", "é"),
        Case("delimiter=/&reverse=true", "é", "d/", "c", "b/", "a"),
        Case("delimiter=/&limit=2", "a", "b/"),
        Case("delimiter=/&marker=b/", "c", "d/", "é"),
        Case("prefix=b/&delimiter=/", "b/1", "b/2", "b/c/"),
        Case("prefix=b&delimiter=/", "b/"),
        Case("path=b", "b/1", "b/2"),
        Case("path=b/", "b/1", "b/2"),
        Case("path=", "a", "c", "é")
    ]

    @Test("a page shows what is asked for", arguments: cases)
    func page(_ each: Case) async throws {
        let cloud = try await Self.filled()
        let answer = try await cloud.call("GET", "c?\(each.query)")
        #expect(answer.text.split(separator: "\n").map(String.init) == each.shown)
        #expect(answer.status == (each.shown.isEmpty ? 204 : 200))
        #expect(answer["x-container-object-count"] == "7")
    }

    @Test("pages joined are the whole, whatever their size and direction", arguments: [1, 2, 3], [false, true])
    func paging(limit: Int, isReversed: Bool) async throws {
        let cloud = try await Self.filled()
        var seen: [String] = []
        while true {
            let marker = seen.last.map { "&marker=" + PercentText.encode($0) } ?? ""
            let page = try await cloud.call("GET", "c?limit=\(limit)&reverse=\(isReversed)\(marker)")
            if page.bytes.isEmpty { break }
            seen += page.text.split(separator: "\n").map(String.init)
        }
        #expect(seen == (isReversed ? Self.names.reversed() : Self.names))
    }

    @Test("JSON and XML, by query and by Accept")
    func formats() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/a%3C%22b", "1", ["Content-Type": "text/plain"])
        let json = try await cloud.call("GET", "c?format=json")
        #expect(json["content-type"] == "application/json; charset=utf-8")
        #expect(
            json.text.hasPrefix("[{\"hash\": \"c4ca4238a0b923820dcc509a6f75849b\", \"last_modified\": \"2023-11-14T"))
        #expect(json.text.hasSuffix("\"bytes\": 1, \"name\": \"a<\\\"b\", \"content_type\": \"text/plain\"}]"))
        let xml = try await cloud.call("GET", "c", ["Accept": "application/xml"])
        #expect(xml.text.contains("<container name=\"c\"><object><name>a&lt;\"b</name><hash>c4ca"))
        #expect(try await cloud.call("GET", "c", ["Accept": "image/png"]).status == 406)
        let account = try await cloud.call("GET", "?format=json")
        #expect(account.text.hasPrefix("[{\"name\": \"c\", \"count\": 1, \"bytes\": 1, \"last_modified\": \""))
        #expect(account["x-account-object-count"] == "1")
        #expect(account["x-account-bytes-used"] == "1")
        #expect(account["x-account-container-count"] == "1")
        #expect(try await cloud.call("GET", "c?limit=10001").status == 412)
    }

    @Test("an account nobody has used yet is empty, not missing")
    func newAccount() async throws {
        let cloud = try ObjectCloud()
        #expect(try await cloud.call("GET").status == 204)
        #expect(try await cloud.call("HEAD").status == 204)
        #expect(try await cloud.call("GET", "?format=json").text == "[]")
    }
}
