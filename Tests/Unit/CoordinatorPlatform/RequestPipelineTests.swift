import CoordinatorPlatform
import HTTPTypes
import Logging
import NIOCore
import ProtocolModel
import Testing

@Suite("request pipeline")
struct RequestPipelineTests {
    private struct OneToken: Authenticator {
        func authenticate(token: String) throws -> Caller? {
            guard token == "good" else { return nil }
            return Caller(
                user: UserID(high: 1, low: 1), userName: "u", userDomain: "default",
                scope: .project(ProjectID(high: 2, low: 2)), projectName: "p", roles: ["reader"])
        }
    }

    private struct Odd: Error {}

    static let service = ServiceAPI(
        prefix: "/compute",
        microversions: MicroversionPolicy(
            service: "compute", legacyHeader: "X-OpenStack-Nova-API-Version", minimum: Microversion(2, 1),
            maximum: Microversion(2, 96)),
        routes: [
            Route(.get, "/", access: .anybody) { .json(["version": .string($0.microversion.description)]) },
            Route(.get, "/servers/detail") { _ in .json(["detail": true]) },
            Route(.get, "/servers/{id}") {
                .json(["id": .string($0.parameter("id")), "v": .string($0.microversion.description)])
            },
            Route(.delete, "/servers/{id}", action: "compute.server.delete") { call in
                try call.authorize("os_compute_api:servers:delete", project: ProjectID(high: 9, low: 9))
                return .empty(204)
            },
            Route(.post, "/servers", action: "compute.server.create", bodyLimit: 64) { call in
                .json(try await call.json(), status: 202)
            },
            Route(.get, "/files/{path*}") { .json(["path": .string($0.parameter("path"))]) },
            Route(.get, "/odd") { _ in throw Odd() },
            Route(.get, "/busy") { _ in throw StoreError.overloaded },
            Route(.get, "/stale") { _ in throw StoreError.stale("x") },
            Route(.get, "/query") { .json(.array($0.query.map { .array([.string($0.name), .string($0.value)]) })) }
        ],
        policy: Policy(rules: ["os_compute_api:servers:delete": .projectMember]),
        renderError: { error, _ in
            let name = error.status == 404 ? "itemNotFound" : error.status == 400 ? "badRequest" : "computeFault"
            return ([name: ["code": JSON(error.status), "message": JSON(error.message)]], "application/json")
        })

    static func pipeline() throws -> RequestPipeline {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return RequestPipeline(
            services: [service], authenticator: OneToken(), database: try EmbeddedDatabase(inMemory: .init()),
            logger: logger)
    }

    private func send(
        _ method: HTTPRequest.Method, _ target: String, _ headers: [String: String] = ["X-Auth-Token": "good"],
        body: String = "", isTrusted: Bool = false
    ) async throws -> (status: Int, headers: HTTPFields, json: JSON, bytes: [UInt8]) {
        var fields = HTTPFields()
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        let response = await (try Self.pipeline()).respond(
            to: IncomingRequest(
                method: method, target: target, headers: fields, body: .bytes(Array(body.utf8)), isTrusted: isTrusted))
        var bytes: [UInt8] = []
        if case .bytes(let body) = response.body { bytes = body }
        return (response.status, response.headers, (try? JSON.parse(bytes)) ?? .null, bytes)
    }

    @Test("literal segments go before parameters, with a way back; the rest of a path keeps its slashes")
    func routing() async throws {
        #expect(try await send(.get, "/compute/servers/detail").json == ["detail": true])
        #expect(try await send(.get, "/compute/servers/a%2Fb%20c/").json["id"] == "a/b c")
        #expect(try await send(.delete, "/compute/servers/detail").status == 403)
        #expect(try await send(.get, "/compute/files/a/b/c").json["path"] == "a/b/c")
        #expect(
            try await send(.get, "/compute/nowhere").json["itemNotFound"]?["message"]
                == "The resource could not be found.")
        #expect(try await send(.get, "/computer").status == 404)
        let wrong = try await send(.put, "/compute/servers/1")
        #expect(wrong.status == 405 && wrong.headers[.allow] == "DELETE, GET")
        #expect(
            try await send(.get, "/compute/query?a=1&a=2+3&b&c=%C3%BC").json
                == [["a", "1"], ["a", "2 3"], ["b", ""], ["c", "ü"]])
    }

    @Test("HEAD is GET without a body")
    func head() async throws {
        let head = try await send(.head, "/compute/servers/detail")
        #expect(head.status == 200 && head.bytes.isEmpty && head.headers[.contentLength] == "15")
        // Bytes behind it would be read as the start of the next answer.
        for path in ["/nowhere", "/compute/nowhere"] {
            let head = try await send(.head, path)
            #expect(head.status == 404 && head.bytes.isEmpty, "\(path)")
        }
    }

    @Test(
        "microversions",
        arguments: [
            ([:], "2.1"), (["OpenStack-API-Version": "compute 2.79"], "2.79"),
            (["OpenStack-API-Version": "compute latest"], "2.96"), (["X-OpenStack-Nova-API-Version": "2.5"], "2.5"),
            (["OpenStack-API-Version": "placement 1.2, compute 2.50"], "2.50"),
            (["OpenStack-API-Version": "volume 3.1"], "2.1")
        ] as [([String: String], String)])
    func microversion(headers: [String: String], version: String) async throws {
        let answer = try await send(.get, "/compute/servers/1", headers.merging(["X-Auth-Token": "good"]) { $1 })
        #expect(answer.json["v"] == .string(version))
        let name = try #require(HTTPField.Name("OpenStack-API-Version"))
        let legacy = try #require(HTTPField.Name("X-OpenStack-Nova-API-Version"))
        #expect(answer.headers[name] == "compute \(version)")
        #expect(answer.headers[legacy] == version)
        #expect(answer.headers[.vary] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version")
        let id = try #require(HTTPField.Name("X-Compute-Request-Id"))
        #expect(answer.headers[id]?.hasPrefix("req-") == true)
    }

    @Test("versions that are not offered are refused, but never where versions are told")
    func refusedVersions() async throws {
        let headers = ["X-Auth-Token": "good", "OpenStack-API-Version": "compute 2.999"]
        let tooNew = try await send(.get, "/compute/servers/1", headers)
        #expect(tooNew.status == 406)
        #expect(
            tooNew.json["computeFault"]?["message"]
                == "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.96.")
        #expect(try await send(.get, "/compute/", headers).status == 200)
        let odd = try await send(
            .get, "/compute/servers/1", ["X-Auth-Token": "good", "OpenStack-API-Version": "compute two"])
        #expect(odd.status == 400)
    }

    @Test("who may")
    func access() async throws {
        #expect(try await send(.get, "/compute/servers/1", [:]).status == 401)
        #expect(try await send(.get, "/compute/servers/1", ["X-Auth-Token": "bad"]).status == 401)
        #expect(try await send(.get, "/compute/", [:]).status == 200)
        let refused = try await send(.delete, "/compute/servers/1")
        #expect(
            refused.json["computeFault"]?["message"]
                == "Policy doesn't allow os_compute_api:servers:delete to be performed.")
        #expect(try await send(.delete, "/compute/servers/1", [:], isTrusted: true).status == 204)
        #expect(try await send(.delete, "/compute/servers/1", ["X-Auth-Token": "bad"], isTrusted: true).status == 401)
    }

    @Test("bodies")
    func bodies() async throws {
        #expect(try await send(.post, "/compute/servers", body: "{\"a\": 1}").json == ["a": 1])
        for body in ["", "[]", "{", "{\"a\": 1} x"] {
            let answer = try await send(.post, "/compute/servers", body: body)
            #expect(answer.json["badRequest"]?["message"] == "Malformed request body")
        }
        let long = "{\"a\": \"" + String(repeating: "x", count: 100) + "\"}"
        #expect(try await send(.post, "/compute/servers", body: long).status == 413)
    }

    @Test("what handlers throw becomes an answer that says nothing of the inside")
    func failures() async throws {
        let odd = try await send(.get, "/compute/odd")
        #expect(odd.status == 500)
        #expect(odd.json["computeFault"]?["message"]?.stringValue?.contains("Odd") == false)
        let busy = try await send(.get, "/compute/busy")
        #expect(busy.status == 503 && busy.headers[.retryAfter] == "1")
        #expect(try await send(.get, "/compute/stale").status == 409)
    }

    @Test("placement says its range beside a refused version")
    func placementRange() throws {
        let policy = MicroversionPolicy(
            service: "placement", legacyHeader: nil, minimum: Microversion(1, 0), maximum: Microversion(1, 39))
        var headers = HTTPFields()
        headers[try #require(HTTPField.Name("OpenStack-API-Version"))] = "placement 1.99"
        #expect(throws: APIError(status: 406, message: "Unacceptable version header: 1.99")) {
            try policy.negotiate(headers)
        }
    }
}
