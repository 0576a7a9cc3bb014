import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/tags`, from 2.26 on.
struct ServerTagRoutes: Sendable {
    let parts: ComputeParts

    private typealias Tags = TagRoutes<ServerTag, ServerRecord>

    var all: [Route] {
        Tags(
            path: "/v2.1/servers/{id}", action: "compute.server.tags", tags: parts.servers.tags, rules: Self.rules,
            wording: Self.wording, find: find, changed: changed
        ).routes
    }

    private static let prefix = ComputePolicy.prefix + "os-server-tags:"
    private static let rules = Tags.Rules(
        list: prefix + "index", show: prefix + "show", replace: prefix + "update_all", add: prefix + "update",
        remove: prefix + "delete", clear: prefix + "delete_all")

    private static let wording = Tags.Wording(
        tag: .serverTag, length: 1...60,
        invalid: { tag in
            .badRequest(
                "Tag '\(tag)' is invalid. It must be a non empty string without characters '/' and ',' and at most 60 "
                    + "characters long.")
        },
        missing: { tag, call in .notFound("Server \(call.parameter("id")) has no tag '\(tag)'") },
        tooMany: .badRequest("The number of tags exceeded the per-server limit \(TagSet.most)"), body: Nova.body,
        added: { tag, isNew, call in
            guard isNew else { return .empty(204) }
            let path = "servers/\(call.parameter("id"))/tags/\(PercentCoding.encode(tag))"
            return .empty(201, headers: [(name: "Location", value: Links(call.baseURL).version + path)])
        })

    @Sendable private func find(
        _ call: APICall, _ rule: String, _ reader: any SQLReader
    ) throws -> (id: ServerID, owner: ServerRecord) {
        try call.requireVersion(call.microversion.has(26))
        let server = try ServerAccess(parts: parts).find(
            call.parameter("id"), asking: String(rule.dropFirst(ComputePolicy.prefix.count)),
            by: try call.permissions(), in: reader)
        return (server.id, server)
    }

    @Sendable private func changed(
        _ call: APICall, _ server: ServerRecord, _ transaction: any SQLTransaction
    ) throws { try ServerChanges(parts: parts).touch(server, at: call.now, in: transaction) }
}
