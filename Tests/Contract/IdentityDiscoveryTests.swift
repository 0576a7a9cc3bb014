import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: discovery")
struct IdentityDiscoveryTests {
    private func get(_ path: String, accept: String? = nil) async throws -> Answer {
        let cloud = try await IdentityCloud()
        var headers: [String: String] = [:]
        if let accept { headers["Accept"] = accept }
        return await cloud.harness.send(.get, "/identity\(path)", bytes: [], token: nil, headers: headers)
    }

    @Test("the versions, without a token", arguments: ["", "/"])
    func versions(path: String) async throws {
        let answer = try await get(path)
        #expect(answer.status == 300)
        #expect(answer.header("Location") == "https://cloud.test:8700/identity/v3/")
        let version = answer.json["versions"]?["values"]?.arrayValue?.first
        #expect(version?["id"] == "v3.14" && version?["status"] == "stable")
    }

    @Test("one version", arguments: ["/v3", "/v3/"])
    func version(path: String) async throws {
        let answer = try await get(path, accept: "application/json")
        #expect(answer.status == 200)
        let media = answer.json["version"]?["media-types"]?.arrayValue?.first
        #expect(media?["type"] == "application/vnd.openstack.identity-v3+json")
    }

    @Test("the JSON-home document names every resource, and each of them has a route")
    func home() async throws {
        let answer = try await get("/v3", accept: "application/json-home")
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json-home")
        let resources = try #require(answer.json["resources"]?.objectValue)
        let base = "https://docs.openstack.org/api/openstack-identity/3"
        #expect(resources["\(base)/rel/projects"] == ["href": "/projects"])
        #expect(
            resources["\(base)/rel/project"]
                == [
                    "href-template": "/projects/{project_id}",
                    "href-vars": ["project_id": .string("\(base)/param/project_id")]
                ])
        #expect(resources["\(base)/rel/limit_model"]?["hints"] == ["status": "experimental"])
        let group = "\(base)/ext/OS-EP-FILTER/1.0/rel/endpoint_group"
        #expect(
            resources[group]?["href-vars"]
                == ["endpoint_group_id": .string("\(base)/ext/OS-EP-FILTER/1.0/param/endpoint_group_id")])
        let above = try await get("/", accept: "application/json-home;q=1, application/json;q=0.5")
        #expect(above.json["resources"]?["\(base)/rel/projects"] == ["href": "/v3/projects"])
        let session = try await IdentitySession.admin()
        for (relation, resource) in resources {
            let path = (resource["href"] ?? resource["href-template"])?.stringValue ?? ""
            let filled = path.split(separator: "/").map { $0.first == "{" ? "x" : String($0) }.joined(separator: "/")
            let answer = await session.send(.get, filled)
            #expect(
                answer.json["error"]?["message"] != "The resource could not be found.", "\(relation): \(filled)")
        }
    }
}
