import CoordinatorPlatform
import ProtocolModel

/// `/messages` (3.3): why something failed after its call was answered.
struct MessageRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.get, "/messages", handler: list).gated(by: "message:get_all"),
            Route.volume(.get, "/messages/{id}", handler: show).asking("message:get"),
            Route.volume(.delete, "/messages/{id}", action: "volume.message.delete", handler: delete)
                .asking("message:delete")
        ]
    }

    private static func render(_ message: UserMessage, _ call: APICall) -> JSON {
        [
            "id": .string(message.id.text), "event_id": .string(message.eventID),
            "user_message": .string(message.shown), "message_level": "ERROR",
            "created_at": volumeTime(message.createdAt),
            "guaranteed_until": volumeTime(message.createdAt + UserMessage.lifetime),
            "request_id": .string(message.requestID), "links": call.volumeLinks("messages/\(message.id)"),
            "resource_type": .string(message.resourceType), "resource_uuid": .string(message.resource.text)
        ]
    }

    private static func find(
        _ id: String, asking rule: String, _ parts: BlockStorageParts, by origin: Origin, in reader: any SQLReader
    ) throws -> UserMessage {
        guard let uuid = UserMessageID(id), let message = try parts.messages.find(uuid, in: reader),
            VolumeAccess.sees(origin.caller, message.project)
        else { throw APIError.notFound("Message \(id) could not be found.") }
        try origin.permissions.require(rule, Policy.Target(project: message.project))
        return message
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(3)
        let dialect = Cinder.list(
            most: parts.settings.pageLimit, refuses: call.microversion.has(31), path: "messages")
        // Pages, orders and filters came later.
        let isPaged = call.microversion.has(5)
        let query = try dialect.read(
            isPaged ? try Cinder.parameters(call) : [], isFilter: BlockStorageLists.messages.isFilter,
            isSort: BlockStorageLists.messages.isSort)
        let (visible, offset) = (try VolumeListQuery.scope(of: call).every, isPaged ? try Cinder.offset(call) : 0)
        let store = parts.messages
        let found = try await call.database.read { reader in
            try dialect.found { try store.list(query, visible: visible, skipping: offset, in: reader) }
        }
        return dialect.answer(
            ListPage(collection: "messages", identities: found.map(\.id.text), query: query),
            found.map { Self.render($0, call) }, call)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(3)
        let (origin, parts) = (try call.volumeOrigin(), parts)
        let message = try await call.database.read {
            try Self.find(call.parameter("id"), asking: "message:get", parts, by: origin, in: $0)
        }
        return .json(["message": Self.render(message, call)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(3)
        let (origin, parts) = (try call.volumeOrigin(), parts)
        try await call.write { transaction in
            let message = try Self.find(
                call.parameter("id"), asking: "message:delete", parts, by: origin, in: transaction)
            try parts.messages.delete(message.id, in: transaction)
        }
        return .empty(204)
    }
}
