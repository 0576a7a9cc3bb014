import CoordinatorPlatform
import HTTPTypes
import Logging
import TestsSupportStore

extension FuzzTarget {
    /// Whole requests: a line with method and target, a line for each header, an empty line, the body.
    static let http = FuzzTarget(
        "HTTP requests",
        texts: [
            "GET /fuzz/v1/things/a%20b?limit=3&x=y\nX-Auth-Token: good\nOpenStack-API-Version: fuzz 1.5\n\n",
            "POST /fuzz/v1/things\nContent-Type: application/json\nX-Auth-Token: good\n\n{\"thing\": {\"name\": \"x\"}}",
            "DELETE /fuzz/v1/things/%00/..//%2e%2e?%\nRange: bytes=0-\n\n", "OPTIONS *\n\n", "HEAD //\n\n"
        ],
        words: [
            "/../", "%2f", "%00", "?", "#", "&", "X-Auth-Token: good\n", "Content-Length: -1\n", "fuzz latest",
            "Transfer-Encoding: chunked\n", "{", "\\ud800", "/fuzz/v1/things/"
        ], runs: 2_000
    ) { text in
        guard let request = request(text) else { return nil }
        let response = await FuzzService.shared().respond(to: request)
        return (100..<600).contains(response.status) && response.status != 500
            ? nil : "the answer is \(response.status)"
    }

    private static func request(_ text: String) -> IncomingRequest? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines.removeFirst().split(separator: " ", maxSplits: 1)
        guard words.count == 2, let method = HTTPRequest.Method(String(words[0])) else { return nil }
        var headers = HTTPFields()
        while let line = lines.first {
            lines.removeFirst()
            guard !line.isEmpty else { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { continue }
            headers.append(HTTPField(name: name, value: String(parts[1].drop { $0 == " " })))
        }
        return IncomingRequest(
            method: method, target: String(words[1]), headers: headers,
            body: .bytes(Array(lines.joined(separator: "\n").utf8)))
    }
}

/// A service that reads what services read.
private actor FuzzService {
    private static let holder = FuzzService()
    private var pipeline: RequestPipeline?

    static func shared() async -> RequestPipeline { await holder.made() }

    private func made() async -> RequestPipeline {
        if let pipeline { return pipeline }
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        let database = try? await TestStore.database(PlatformMigrations.all)
        guard let database else { fatalError("no database") }
        let made = RequestPipeline(
            services: [Self.service], authenticator: Tokens(), database: database, logger: logger)
        pipeline = made
        return made
    }

    private struct Thing: Sendable {
        var name = ""
        var size = 0
        var tags: [String] = []
    }

    private static let schema = BodySchema(
        blank: Thing(),
        [
            .required("name", \.name, .text(1...255, .printable)), .given("size", \.size, .integer(0...100, orText: true)),
            .given("tags", \.tags, .list(of: .text(1...60), most: 50, isUnique: true))
        ])

    private static let service = ServiceAPI(
        prefix: "/fuzz",
        routes: [
            Route(.get, "/v1/things/{id}") { call in
                .json([
                    "id": .string(call.parameter("id")), "query": .string(PercentCoding.text(call.query)),
                    "self": .string(call.baseURL + call.path)
                ])
            }.open(because: "a test's own"),
            Route(.post, "/v1/things", action: "fuzz.thing.create") { call in
                let thing = try schema.read(try await call.json(), under: "thing") { .badRequest($0.text) }
                return .json(["thing": ["name": .string(thing.name)]], status: 201)
            }.open(because: "a test's own")
        ],
        renderError: { error, _ in (["message": .string(error.message)], "application/json") })

    private struct Tokens: Authenticator {
        func authenticate(token: String) throws -> Caller? {
            guard token == "good" else { return nil }
            return Caller(
                user: .init(high: 1, low: 1), userName: "u", userDomain: "default",
                scope: .project(.init(high: 2, low: 2)), projectName: "p", roles: ["member"])
        }
    }
}
