import CoordinatorPlatform
import ProtocolModel

/// The old actions by which volumes are attached to something that this cloud does not run: they keep account of it, and
/// connect nothing. What servers hold is not touched by them.
extension VolumeActionRoutes {
    static let attachmentActions: [String: Action] = [
        "os-reserve": { routes, call, _ in
            try await routes.holding(call, "reserve") { try $0.reserveByHand(&$1, origin: $2, in: $3) }
        },
        "os-unreserve": { routes, call, _ in
            try await routes.holding(call, "unreserve") { try $0.unreserveByHand(&$1, at: $2.now, in: $3) }
        },
        "os-begin_detaching": { routes, call, _ in
            try await routes.holding(call, "begin_detaching") { try $0.beginByHand(&$1, at: $2.now, in: $3) }
        },
        "os-roll_detaching": { routes, call, _ in
            try await routes.holding(call, "roll_detaching") { try $0.rollByHand(&$1, at: $2.now, in: $3) }
        },
        "os-attach": { routes, call, argument in
            let wish = try HandAttachment.read(argument)
            return try await routes.holding(call, "attach") { try $0.attachByHand(&$1, wish, origin: $2, in: $3) }
        },
        "os-detach": { routes, call, argument in
            let id = argument.isNull ? nil : try Cinder.read(argument, attachmentID, under: "os-detach")
            return try await routes.holding(call, "detach") { try $0.detachByHand(&$1, id, at: $2.now, in: $3) }
        },
        "os-force_detach": { routes, call, argument in
            let id = try Cinder.read(argument, forcedID, under: "os-force_detach")
            return try await routes.holding(call, rule: "volume_extension:volume_admin_actions:force_detach") {
                try $0.detachByHand(&$1, id, at: $2.now, in: $3)
            }
        },
        "os-initialize_connection": { routes, call, argument in
            _ = try Cinder.read(argument, connector, under: "os-initialize_connection")
            return try await routes.refuse(
                call, asking: "volume_extension:volume_actions:initialize_connection",
                .badRequest(HandAttachment.noConnection))
        },
        "os-terminate_connection": { routes, call, argument in
            _ = try Cinder.read(argument, connector, under: "os-terminate_connection")
            // There is none.
            return try await routes.holding(call, "terminate_connection") { _, _, _, _ in }
        }
    ]

    private static let attachmentID = BodySchema<String?>(
        blank: nil, [.given("attachment_id", \.self, BodyFormat.text(0...255, .uuid).nullable)]
    ).format()
    private static let forcedID = BodySchema(
        blank: (id: String?.none, connector: JSON.null),
        [
            .given("attachment_id", \.id, BodyFormat.text(0...255, .uuid).nullable),
            .given("connector", \.connector, .any)
        ]
    ).format().map { wanted, _ in wanted.id }
    private static let connector = BodySchema(
        blank: JSON.null, [.required("connector", \.self, .any)]
    ).format()

    private func holding(
        _ call: APICall, _ word: String,
        _ body: @escaping @Sendable (Attachments, inout VolumeRecord, Origin, any SQLTransaction) throws -> Void
    ) async throws -> APIResponse {
        try await holding(call, rule: "volume_extension:volume_actions:\(word)", body)
    }

    private func holding(
        _ call: APICall, rule: String,
        _ body: @escaping @Sendable (Attachments, inout VolumeRecord, Origin, any SQLTransaction) throws -> Void
    ) async throws -> APIResponse {
        try await write(call) { commands, id, origin, transaction in
            var volume = try VolumeAccess(parts: commands.parts).volume(
                id, asking: rule, by: origin, in: transaction)
            try body(Attachments(parts: commands.parts), &volume, origin, transaction)
        }
    }
}

/// What `os-attach` is told.
struct HandAttachment: Sendable {
    var server: String?
    var hostname: String?
    var device = ""
    var mode = "rw"

    static let noConnection =
        "This cloud connects volumes to its own servers only: attach the volume to a server with the Compute API."

    static func read(_ json: JSON) throws -> Self {
        let wish = try Cinder.read(json, schema.format(), under: "os-attach")
        guard wish.server != nil || wish.hostname != nil else {
            throw Cinder.body(BodyFailure(.noneFits, json, path: ["os-attach"]))
        }
        return wish
    }

    private static let schema = BodySchema(
        blank: Self(),
        [
            .optional("instance_uuid", \.server, .text(0...255, .uuid)),
            .optional("host_name", \.hostname, .text(0...255)), .required("mountpoint", \.device, .text(1...255)),
            .given("mode", \.mode, .word(of: ["rw", "ro"]))
        ])
}
