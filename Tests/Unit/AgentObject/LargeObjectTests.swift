import AgentObject
import NIOHTTP1
import Testing

@Suite("objects made of others")
struct LargeObjectTests {
    private func cloud() async throws -> ObjectCloud {
        let cloud = try ObjectCloud()
        for name in ["c", "parts"] { _ = try await cloud.call("PUT", name) }
        for (name, text) in [("1", "aaaa"), ("2", "bbbb"), ("3", "cc")] {
            _ = try await cloud.put("parts/\(name)", text)
        }
        return cloud
    }

    private static let manifest = """
        [{"path": "/parts/1", "etag": "74b87337454200d4d33f80c4663dc5e5", "size_bytes": 4},
         {"path": "parts/2", "range": "1-2"}, {"path": "/parts/3", "etag": null}]
        """

    @Test("a static one is its segments behind each other, through ranges too")
    func fixed() async throws {
        let cloud = try await cloud()
        let put = try await cloud.put("c/slo?multipart-manifest=put", Self.manifest, ["X-Object-Meta-A": "1"])
        #expect(put.status == 201)
        let etag = try #require(put["etag"])
        #expect(etag.hasPrefix("\"") && etag.hasSuffix("\""))
        let got = try await cloud.call("GET", "c/slo")
        #expect(got.text == "aaaabbcc")
        #expect(got["etag"] == etag && got["x-static-large-object"] == "True" && got["x-object-meta-a"] == "1")
        #expect(got["slo-size"] == nil)
        #expect(try await cloud.call("GET", "c/slo", ["Range": "bytes=3-6"]).text == "abbc")
        #expect(try await cloud.call("GET", "c/slo", ["If-None-Match": etag]).status == 304)
        #expect(try await cloud.call("HEAD", "c/slo")["etag"] == etag)
        let raw = try await cloud.call("GET", "c/slo?multipart-manifest=get")
        #expect(raw["content-type"] == "application/json; charset=utf-8")
        #expect(raw.text.contains("\\/parts\\/1") || raw.text.contains("/parts/1"))
        #expect(try await cloud.call("GET", "c?format=json").text.contains("\"bytes\": 8"))
        // POST keeps what it is.
        #expect(try await cloud.call("POST", "c/slo", ["X-Object-Meta-B": "1"]).status == 202)
        #expect(try await cloud.call("GET", "c/slo").text == "aaaabbcc")
    }

    @Test("manifests of manifests come to an end before their octets cannot be counted")
    func bounded() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.call("PUT", "c/0", [:], [UInt8](repeating: 1, count: 60_000))
        var statuses: [Int] = []
        for level in 1...5 {
            let item = "{\"path\": \"/c/\(level - 1)\"}"
            let text = "[" + [String](repeating: item, count: 1000).joined(separator: ",") + "]"
            statuses.append(try await cloud.put("c/\(level)?multipart-manifest=put", text).status)
        }
        #expect(statuses == [201, 201, 201, 201, 400])
    }

    @Test("what is not to be replaced is not, by a copy or a manifest either")
    func unreplaced() async throws {
        let cloud = try await cloud()
        _ = try await cloud.put("c/o", "mine")
        let only: HTTPHeaders = ["If-None-Match": "*"]
        let copy: HTTPHeaders = ["If-None-Match": "*", "X-Copy-From": "parts/1"]
        #expect(try await cloud.put("c/o?multipart-manifest=put", Self.manifest, only).status == 412)
        #expect(try await cloud.call("PUT", "c/o", copy).status == 412)
        #expect(try await cloud.call("GET", "c/o").text == "mine")
        #expect(try await cloud.call("PUT", "c/new", copy).status == 201)
    }

    @Test("one of static ones, and copies of it")
    func nested() async throws {
        let cloud = try await cloud()
        _ = try await cloud.put("c/slo?multipart-manifest=put", Self.manifest)
        #expect(
            try await cloud.put(
                "c/outer?multipart-manifest=put",
                "[{\"path\": \"/c/slo\", \"range\": \"2-5\"}, {\"path\": \"/parts/3\"}]"
            ).status == 201)
        #expect(try await cloud.call("GET", "c/outer").text == "aabbcc")
        #expect(try await cloud.call("COPY", "c/outer", ["Destination": "c/flat"]).status == 201)
        let flat = try await cloud.call("GET", "c/flat")
        #expect(flat.text == "aabbcc" && flat["x-static-large-object"] == nil)
        #expect(
            try await cloud.call("COPY", "c/slo?multipart-manifest=get", ["Destination": "c/again"]).status == 201)
        #expect(try await cloud.call("GET", "c/again")["x-static-large-object"] == "True")
    }

    @Test(
        "a manifest that does not fit what is there is refused",
        arguments: [
            "no json", "[]", "[{\"path\": \"/parts/none\"}]", "[{\"path\": \"/parts/1\", \"etag\": \"wrong\"}]",
            "[{\"path\": \"/parts/1\", \"size_bytes\": 5}]", "[{\"path\": \"/parts/1\", \"range\": \"9-10\"}]",
            "[{\"path\": \"parts\"}]", "[{\"path\": \"/c/self\"}]"
        ])
    func malformed(manifest: String) async throws {
        let cloud = try await cloud()
        #expect(try await cloud.put("c/self?multipart-manifest=put", manifest).status == 400)
        #expect(try await cloud.call("HEAD", "c/self").status == 404)
    }

    @Test("a segment that is no longer what it was ends the whole")
    func changed() async throws {
        let cloud = try await cloud()
        _ = try await cloud.put("c/slo?multipart-manifest=put", Self.manifest)
        _ = try await cloud.put("parts/3", "dd")
        #expect(try await cloud.call("GET", "c/slo").status == 409)
        #expect(try await cloud.call("HEAD", "c/slo").status == 200)
    }

    @Test("deleting the manifest with its segments")
    func delete() async throws {
        let cloud = try await cloud()
        _ = try await cloud.put("c/slo?multipart-manifest=put", Self.manifest)
        let answer = try await cloud.call("DELETE", "c/slo?multipart-manifest=delete")
        #expect(answer.status == 200)
        #expect(answer.text.hasPrefix("Number Deleted: 4\nNumber Not Found: 0\nResponse Status: 200 OK\n"))
        #expect(try await cloud.counters().listed == 0)
    }

    @Test("a dynamic one is what its prefix finds, now")
    func dynamic() async throws {
        let cloud = try await cloud()
        _ = try await cloud.put("c/dlo", "", ["X-Object-Manifest": "parts/"])
        #expect(try await cloud.put("c/bad", "", ["X-Object-Manifest": "parts"]).status == 400)
        // A container alone is no manifest: the prefix is part of it.
        #expect(try await cloud.call("GET", "c/dlo").status == 404)
        _ = try await cloud.put("c/dlo", "", ["X-Object-Manifest": "c/seg"])
        for (name, text) in [("seg1", "one"), ("seg2", "two")] { _ = try await cloud.put("c/\(name)", text) }
        let got = try await cloud.call("GET", "c/dlo")
        #expect(got.text == "onetwo")
        #expect(got["etag"]?.hasPrefix("\"") == true)
        #expect(got["x-object-manifest"] == "c/seg")
        #expect(try await cloud.call("GET", "c/dlo", ["Range": "bytes=2-3"]).text == "et")
        _ = try await cloud.put("c/seg3", "!")
        #expect(try await cloud.call("GET", "c/dlo").text == "onetwo!")
        #expect(try await cloud.call("GET", "c/dlo?multipart-manifest=get").text.isEmpty)
    }

    @Test("versions: a stack gives the former one back, a history keeps all")
    func versions() async throws {
        let cloud = try ObjectCloud()
        for name in ["old", "log"] { _ = try await cloud.call("PUT", name) }
        _ = try await cloud.call("PUT", "stack", ["X-Versions-Location": "old"])
        _ = try await cloud.call("PUT", "history", ["X-History-Location": "log"])
        for text in ["1", "2", "3"] {
            _ = try await cloud.put("stack/o", text)
            _ = try await cloud.put("history/o", text)
        }
        #expect(try await cloud.call("HEAD", "old")["x-container-object-count"] == "2")
        #expect(try await cloud.call("GET", "old").text.hasPrefix("001o/"))
        for text in ["2", "1"] {
            #expect(try await cloud.call("DELETE", "stack/o").status == 204)
            #expect(try await cloud.call("GET", "stack/o").text == text)
        }
        #expect(try await cloud.call("DELETE", "stack/o").status == 204)
        #expect(try await cloud.call("GET", "stack/o").status == 404)
        #expect(try await cloud.call("DELETE", "history/o").status == 204)
        #expect(try await cloud.call("GET", "history/o").status == 404)
        let log = try await cloud.call("GET", "log?format=json").text
        #expect(log.contains("swift_versions_deleted") && log.split(separator: "{").count == 5)
        let both: HTTPHeaders = ["X-Versions-Location": "old", "X-History-Location": "log"]
        #expect(try await cloud.call("PUT", "x", both).status == 400)
        #expect(try await cloud.call("POST", "stack", ["X-Versions-Location": ""]).status == 204)
        #expect(try await cloud.call("HEAD", "stack")["x-versions-location"] == nil)
        let counters = try await cloud.counters()
        #expect(counters.objects == counters.listed && counters.bytes == counters.listedBytes)
    }
}
