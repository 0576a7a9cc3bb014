import CoordinatorPlatform
import ProtocolModel

/// The actions that make images of servers, and those of servers that are kept as images.
extension ServerActionRoutes {
    static let imaging: [String: Action] = [
        "createImage": { routes, call, argument in
            let wish = try Nova.read(argument, image.format(), under: "createImage")
            let id = try await routes.image(call) {
                try $0.createImage(
                    $1, name: wish.name, metadata: wish.metadata, isLimited: !call.microversion.has(39), origin: $2,
                    in: $3)
            }
            return answer(id, call)
        },
        "createBackup": { routes, call, argument in
            let wish = try Nova.read(argument, backup.format(), under: "createBackup")
            let id = try await routes.image(call) {
                try $0.createBackup($1, wish, isLimited: !call.microversion.has(39), origin: $2, in: $3)
            }
            return wish.rotation == 0 && !call.microversion.has(45) ? .empty(202) : answer(id, call)
        },
        "shelve": { routes, call, _ in try await routes.write(call) { try $0.shelve($1, origin: $2, in: $3) } },
        "shelveOffload": { routes, call, _ in
            try await routes.write(call) { try $0.shelveOffload($1, origin: $2, in: $3) }
        },
        "unshelve": { routes, call, argument in
            let wish = try unshelving(argument, call.microversion)
            return try await routes.write(call) { try $0.unshelve($1, wish, origin: $2, in: $3) }
        }
    ]

    private static let image = BodySchema(
        blank: (name: "", metadata: [String: String]()),
        [.required("name", \.name, CreateServerForm.name), .given("metadata", \.metadata, CreateServerForm.metadata)])

    private static let backup = BodySchema(
        blank: BackupWish(),
        [
            .required("name", \.name, CreateServerForm.name), .required("backup_type", \.type, .text()),
            .required("rotation", \.rotation, .integer(0...Int.max, orText: true)),
            .given("metadata", \.metadata, CreateServerForm.metadata)
        ])

    /// From 2.77 on a zone, which must be there then; from 2.91 on a host too, and neither needs be there.
    private static func unshelving(_ argument: JSON, _ version: Microversion) throws -> ServerCommands.Unshelving {
        guard version.has(77), !argument.isNull else { return ServerCommands.Unshelving() }
        let named = BodySchema(
            blank: ServerCommands.Unshelving(),
            [
                .special("availability_zone", isRequired: true, until: 90) { json, wish throws(BodyFailure) in
                    wish.zone = .some(try CreateServerForm.name.read(json))
                },
                .nullable("availability_zone", \.zone, .text(), since: 91),
                .optional("host", \.host, .text(), since: 91)
            ])
        return try Nova.read(argument, named.format(version), under: "unshelve")
    }

    private func image(
        _ call: APICall,
        _ body: @escaping @Sendable (ServerCommands, String, Origin, any SQLTransaction) throws -> ImageID
    ) async throws -> ImageID {
        let origin = try call.commandOrigin()
        let commands = ServerCommands(parts: parts)
        return try await call.write { try body(commands, call.parameter("server_id"), origin, $0) }
    }

    /// From 2.45 on the image stands in the body, before that in the headers.
    private static func answer(_ image: ImageID, _ call: APICall) -> APIResponse {
        guard call.microversion.has(45) else {
            return .empty(202, headers: [(name: "Location", value: "\(call.baseURL)/image/v2/images/\(image)")])
        }
        return .json(["image_id": .string(image.text)], status: 202)
    }
}
