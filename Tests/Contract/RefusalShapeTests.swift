import CoordinatorPlatform
import Testing

/// Each service's refusals as its own client library reads them, whatever the status: what is in another's shape makes
/// some of them stop with an error of their own.
@Suite("refusals have their service's shape")
struct RefusalShapeTests {
    static let statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 429, 431, 500, 501, 503]

    @Test("the body of every status can be read by the service's client", arguments: statuses)
    func shapes(status: Int) async throws {
        let cloud = try await PolicyCloud()
        for service in cloud.services {
            let (body, type) = service.renderError(APIError(status: status, message: "why"), "req-1")
            let members = try #require(body.objectValue, "\(service.prefix)")
            #expect(type.hasPrefix("application/json"), "\(service.prefix)")
            let code = JSON(status)
            switch service.prefix {
            case "/compute", "/volume":
                // novaclient takes the first member, whatever it is called.
                #expect(members.count == 1)
                #expect(members.values.first?["code"] == code && members.values.first?["message"] == "why")
                #expect(status >= 500 || status == 406 || members["computeFault"] == nil || status > 409)
            case "/identity":
                #expect(members["error"]?["code"] == code && members["error"]?["message"] == "why")
                #expect(members["error"]?["title"]?.stringValue?.isEmpty == false)
            case "/network":
                #expect(members["NeutronError"]?["message"] == "why" && members["NeutronError"]?["detail"] == "")
                let name = members["NeutronError"]?["type"]?.stringValue ?? ""
                #expect(name.hasPrefix("HTTP") && (status >= 500 || name != "HTTPInternalServerError"))
            case "/image": #expect(members["message"] == "why")
            case "/placement":
                let first = body.item("errors")
                #expect(first?["status"] == code && first?["detail"] == "why" && first?["request_id"] == "req-1")
            default: #expect(members["error"] != nil || members["message"] != nil, "\(service.prefix) \(body)")
            }
        }
    }

    @Test("what the pipeline itself refuses is in the shape of the service that was asked")
    func pipeline() async throws {
        let cloud = try await PolicyCloud()
        let keys = ["/compute": "", "/identity": "error", "/network": "NeutronError", "/image": "message"]
        for (prefix, key) in keys {
            let path = ["/compute": "/v2.1/servers", "/identity": "/v3/users", "/network": "/v2.0/ports"][prefix]
            let target = prefix + (path ?? "/v2/images")
            let answers = [
                await cloud.harness.get(target, as: nil), await cloud.harness.get(target + "/a/b/c/d/e"),
                await cloud.harness.send(.patch, target, as: .admin),
                await cloud.harness.send(
                    .post, target, bytes: Array("{".utf8), token: TestCaller.admin.token)
            ]
            for answer in answers where answer.status >= 400 {
                let inner = key.isEmpty ? answer.json.objectValue?.values.first?["message"] : answer.json[key]
                #expect(inner != nil, "\(target): \(answer.status) \(answer.json)")
            }
        }
    }
}
