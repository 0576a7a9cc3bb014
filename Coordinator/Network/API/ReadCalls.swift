import CoordinatorPlatform
import ProtocolModel

/// GET of a collection and of one of its items: the same for every resource, down to `fields`.
struct ReadCalls<Item: Sendable>: Sendable {
    let table: ListTable
    let schema: AttributeSchema
    let find: @Sendable (ListQuery, Viewer, any SQLReader) throws -> [Item]
    /// By what the path says, as the client wrote it.
    let findOne: @Sendable (String, Viewer, any SQLReader) throws -> Item
    let render: @Sendable (Item, Viewer) -> (id: String, view: View.Members)

    @Sendable func list(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        let parameters = try ListParameters(call, table)
        let found = try await call.database.read { try find(parameters.query, viewer, $0) }
        return parameters.answer(found.map { render($0, viewer) }, schema.collection, call)
    }

    @Sendable func show(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        let parameters = try ListParameters(call, table)
        let found = try await call.database.read { try findOne(call.parameter("id"), viewer, $0) }
        return .json([schema.resource: .object(ListParameters.select(parameters.fields, render(found, viewer).view))])
    }
}
