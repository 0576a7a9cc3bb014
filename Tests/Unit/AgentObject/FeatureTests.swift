import AgentObject
import Crypto
import NIOHTTP1
import Testing

@Suite("signed URLs, bulk, web sites, quotas")
struct FeatureTests {
    private func signed(_ method: String, _ path: String, key: String = "secret", expires: Int64 = 1_700_000_100)
        -> String
    {
        let message = Array("\(method)\n\(expires)\n\(path)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Array(key.utf8)))
        return "temp_url_sig=\(Array(code).hexadecimal)&temp_url_expires=\(expires)"
    }

    private func cloud() async throws -> ObjectCloud {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("POST", "", ["X-Account-Meta-Temp-URL-Key": "secret"])
        _ = try await cloud.call("PUT", "c", ["X-Container-Meta-Temp-URL-Key-2": "own"])
        _ = try await cloud.call("PUT", "d")
        for path in ["c/o", "d/o", "c/pub/x"] { _ = try await cloud.put(path, "text") }
        return cloud
    }

    @Test("a signature opens its path, its method and what goes with it, until its end")
    func temporary() async throws {
        let cloud = try await cloud()
        let path = ObjectCloud.account + "/c/o"
        let get = signed("GET", path)
        let answer = try await cloud.call("GET", "\(path)?\(get)", as: nil)
        #expect(answer.text == "text")
        #expect(answer["content-disposition"] == "attachment; filename=\"o\"; filename*=UTF-8''o")
        #expect(try await cloud.call("GET", "\(path)?\(get)&inline", as: nil)["content-disposition"] == "inline")
        #expect(try await cloud.call("HEAD", "\(path)?\(get)", as: nil).status == 200)
        #expect(try await cloud.call("PUT", "\(path)?\(get)", [:], [1], as: nil).status == 401)
        #expect(try await cloud.call("GET", "\(ObjectCloud.account)/d/o?\(get)", as: nil).status == 401)
        #expect(try await cloud.call("PUT", "\(path)?\(signed("PUT", path))", [:], [1], as: nil).status == 201)
        #expect(try await cloud.call("GET", "\(path)?\(signed("GET", path, key: "wrong"))", as: nil).status == 401)
        // The container's key is for the container.
        #expect(try await cloud.call("GET", "\(path)?\(signed("GET", path, key: "own"))", as: nil).status == 200)
        let other = ObjectCloud.account + "/d/o"
        #expect(try await cloud.call("GET", "\(other)?\(signed("GET", other, key: "own"))", as: nil).status == 401)
        // What is signed is one object: not what goes on to others from it.
        let write = "\(path)?\(signed("PUT", path))"
        #expect(try await cloud.call("PUT", write, ["X-Copy-From": "d/o"], as: nil).status == 400)
        #expect(try await cloud.call("PUT", write, ["X-Object-Manifest": "d/o"], as: nil).status == 400)
        #expect(try await cloud.call("PUT", write + "&multipart-manifest=put", [:], [1], as: nil).status == 401)
        #expect(try await cloud.call("PUT", write + "&extract-archive=tar", [:], [1], as: nil).status == 401)
        let remove = "\(path)?\(signed("DELETE", path))&multipart-manifest=delete"
        #expect(try await cloud.call("DELETE", remove, as: nil).status == 401)
        // A token does not help a signature that is wrong.
        #expect(try await cloud.call("GET", "\(path)?temp_url_sig=00&temp_url_expires=1800000000").status == 401)
        cloud.clock.advance(seconds: 101)
        #expect(try await cloud.call("GET", "\(path)?\(get)", as: nil).status == 401)
    }

    @Test("a signature for a beginning, and for some addresses")
    func prefix() async throws {
        let cloud = try await cloud()
        let account = ObjectCloud.account
        let query = signed("GET", "prefix:\(account)/c/pub") + "&temp_url_prefix=pub"
        #expect(try await cloud.call("GET", "\(account)/c/pub/x?\(query)", as: nil).status == 200)
        #expect(try await cloud.call("GET", "\(account)/c/o?\(query)", as: nil).status == 401)
        let message = "ip=192.0.2.0/24\nGET\n1700000100\n\(account)/c/o"
        let code = HMAC<SHA512>.authenticationCode(
            for: Array(message.utf8), using: SymmetricKey(data: Array("secret".utf8)))
        let ranged =
            "temp_url_sig=\(Array(code).hexadecimal)&temp_url_expires=1700000100&temp_url_ip_range=192.0.2.0/24"
        #expect(try await cloud.call("GET", "\(account)/c/o?\(ranged)", as: nil, remote: "192.0.2.200").status == 200)
        #expect(try await cloud.call("GET", "\(account)/c/o?\(ranged)", as: nil, remote: "192.0.3.1").status == 401)
    }

    /// A tar archive of small files, in pieces of ustar.
    static func tar(_ files: [(String, String)]) -> [UInt8] {
        var out: [UInt8] = []
        for (name, text) in files {
            var block = [UInt8](repeating: 0, count: 512)
            func set(_ text: String, _ offset: Int) {
                for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
            }
            let size = String(text.utf8.count, radix: 8)
            set(name, 0)
            set(String(repeating: "0", count: 11 - size.count) + size, 124)
            set(name.hasSuffix("/") ? "5" : "0", 156)
            set("ustar", 257)
            set("        ", 148)
            let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
            set(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", 148)
            out += block + Array(text.utf8)
            out += [UInt8](repeating: 0, count: (512 - text.utf8.count % 512) % 512)
        }
        return out + [UInt8](repeating: 0, count: 1024)
    }

    @Test("an archive becomes containers and objects, and a list of paths ends them", arguments: [7, 512, 100_000])
    func bulk(pieces: Int) async throws {
        let cloud = try ObjectCloud()
        let archive = Self.tar([
            ("new/", ""), ("new/a", "one"), ("new/b/c", String(repeating: "x", count: 1000)), ("top", "no")
        ])
        let answer = try await cloud.call("PUT", "?extract-archive=tar", [:], archive, pieces: pieces)
        #expect(answer.status == 200)
        #expect(answer.text.hasPrefix("Number Files Created: 2\nResponse Status: 201 Created\n"))
        #expect(try await cloud.call("GET", "new/b/c").bytes.count == 1000)
        let below = try await cloud.call(
            "PUT", "new/sub?extract-archive=tar", ["Accept": "application/json"], Self.tar([("f", "1")]))
        #expect(below.text.contains("\"Number Files Created\": 1"))
        #expect(try await cloud.call("GET", "new/sub/f").text == "1")
        let paths = Array("new/a\nnew/b%2Fc\n/new/sub/f\nnew/none\nnew\n".utf8)
        let gone = try await cloud.call("DELETE", "?bulk-delete", [:], paths)
        #expect(gone.text.hasPrefix("Number Deleted: 4\nNumber Not Found: 1\nResponse Status: 200 OK\n"))
        #expect(try await cloud.call("HEAD", "new").status == 404)
        #expect(try await cloud.call("PUT", "?extract-archive=tar.gz", [:], [1]).status == 400)
        let torn = try await cloud.call("PUT", "?extract-archive=tar", [:], Array(archive.prefix(1200)))
        #expect(torn.text.contains("400 Bad Request"))
        #expect(try await cloud.call("PUT", "?extract-archive=tar", [:], archive, as: .reader).text.contains("403"))
    }

    @Test("a container as a web site")
    func site() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call(
            "PUT", "w", ["X-Container-Read": ".r:*,.rlistings", "X-Container-Meta-Web-Index": "index.html"])
        for (name, text) in [
            ("index.html", "home"), ("sub/index.html", "below"), ("list/a&b", "1"), ("404error.html", "lost")
        ] {
            _ = try await cloud.put("w/" + PercentText.encode(name), text)
        }
        let web = ObjectCloud.account + "/w"
        let redirect = try await cloud.call("GET", web, as: nil)
        #expect(redirect.status == 301 && redirect["location"]?.hasSuffix("/w/") == true)
        #expect(try await cloud.call("GET", web + "/", as: nil).text == "home")
        #expect(try await cloud.call("GET", web + "/sub", as: nil).status == 301)
        #expect(try await cloud.call("GET", web + "/sub/", as: nil).text == "below")
        #expect(try await cloud.call("GET", web + "/list/", as: nil).status == 404)
        _ = try await cloud.call(
            "POST", "w",
            [
                "X-Container-Meta-Web-Listings": "true", "X-Container-Meta-Web-Listings-CSS": "x.css",
                "X-Container-Meta-Web-Error": "error.html"
            ])
        let listing = try await cloud.call("GET", web + "/list/", as: nil).text
        #expect(listing.contains("<a href=\"a%26b\">a&amp;b</a>") && listing.contains("href=\"../x.css\" />"))
        let lost = try await cloud.call("GET", web + "/none", as: nil)
        #expect(lost.status == 404 && lost.text == "lost")
        // With a token it is a container as any other.
        #expect(try await cloud.call("GET", "w").text.hasPrefix("404error.html\n"))
    }

    @Test("browsers are told what the container allows")
    func cors() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call(
            "PUT", "c", ["X-Container-Meta-Access-Control-Allow-Origin": "https://a.test https://b.test"])
        let asked: HTTPHeaders = ["Origin": "https://a.test", "Access-Control-Request-Method": "PUT"]
        let path = ObjectCloud.account + "/c/o"
        let answer = try await cloud.call("OPTIONS", path, asked, as: nil)
        #expect(answer.status == 200 && answer["access-control-allow-origin"] == "https://a.test")
        let other: HTTPHeaders = ["Origin": "https://c.test", "Access-Control-Request-Method": "PUT"]
        #expect(try await cloud.call("OPTIONS", path, other, as: nil).status == 401)
        #expect(
            try await cloud.call("GET", "c", ["Origin": "https://b.test"])["access-control-allow-origin"]
                == "https://b.test")
        #expect(try await cloud.call("GET", "c", ["Origin": "https://c.test"])["access-control-allow-origin"] == nil)
    }

    @Test("quotas of a container")
    func quotas() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call(
            "PUT", "c", ["X-Container-Meta-Quota-Bytes": "10", "X-Container-Meta-Quota-Count": "2"])
        #expect(try await cloud.put("c/a", String(repeating: "x", count: 11)).status == 413)
        #expect(try await cloud.put("c/a", String(repeating: "x", count: 10)).status == 201)
        #expect(try await cloud.put("c/b", "x").status == 413)
        // In its place, it need not fit beside it.
        #expect(try await cloud.put("c/a", "x").status == 201)
        #expect(try await cloud.put("c/b", "").status == 201)
        #expect(try await cloud.put("c/c", "").status == 413)
        #expect(try await cloud.call("COPY", "c/a", ["Destination": "c/d"]).status == 413)
        #expect(try await cloud.call("POST", "c", ["X-Container-Meta-Quota-Bytes": "many"]).status == 400)
    }

    @Test("what is announced is there: info, health, cross-domain policy")
    func info() async throws {
        let cloud = try ObjectCloud()
        let info = try await cloud.call("GET", "/info", as: nil)
        #expect(info.status == 200 && info.text.contains("\"slo\": {\"max_manifest_segments\": 1000"))
        #expect(try await cloud.call("GET", "/healthcheck", as: nil).text == "OK")
        #expect(try await cloud.call("GET", "/crossdomain.xml", as: nil).text.hasSuffix("</cross-domain-policy>"))
    }
}
