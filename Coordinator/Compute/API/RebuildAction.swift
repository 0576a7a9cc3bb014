import CoordinatorPlatform
import ProtocolModel

/// The actions that make a server's disk anew, or start it from another.
extension ServerActionRoutes {
    static let rebuilding: [String: Action] = [
        "rebuild": { routes, call, argument in try await routes.rebuild(call, argument) },
        "rescue": { routes, call, argument in
            let wish = try Nova.read(argument, rescue.format(call.microversion).nullable, under: "rescue")
            let password = wish?.password ?? Secrets.password()
            _ = try await routes.write(call) {
                try $0.rescue($1, image: wish?.image, password: password, origin: $2, in: $3)
            }
            return .json(["adminPass": .string(password)])
        },
        "unrescue": plain(.unrescue)
    ]

    private static let rescue = BodySchema(
        blank: (password: String?.none, image: String?.none),
        [.optional("adminPass", \.password, .text()), .optional("rescue_image_ref", \.image, .text(0...Int.max, .uuid))]
    )

    private func rebuild(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let version = call.microversion
        let command = try Nova.read(argument, RebuildForm.schema.format(version), under: "rebuild")
        let origin = try call.commandOrigin()
        let commands = ServerCommands(parts: parts)
        let password = command.adminPassword ?? Secrets.password()
        let servers = reader
        let subject = try await call.write { transaction in
            let server = try commands.rebuild(
                call.parameter("server_id"), command, password: password, origin: origin, in: transaction)
            return try servers.subject(of: server, in: transaction)
        }
        guard case .object(var out) = ServerView(call).render(subject, .update(version)) else { return .empty(202) }
        out["adminPass"] = .string(password)
        out["OS-EXT-SRV-ATTR:user_data"] = nil
        if version.has(54) { out["key_name"] = JSON(subject.server.keyName) }
        if version.has(57) { out["user_data"] = JSON(subject.server.userData) }
        let location = "\(Links(call.baseURL).version)servers/\(subject.server.id)"
        return .json(["server": .object(out)], status: 202, headers: [(name: "Location", value: location)])
    }
}

/// What a rebuild call may hold, by version.
enum RebuildForm {
    static let schema = BodySchema(
        blank: RebuildServer(),
        [
            .required("imageRef", \.imageID, .text(0...Int.max, .uuid)),
            .optional("name", \.name, CreateServerForm.name), .optional("adminPass", \.adminPassword, .text()),
            .optional("metadata", \.metadata, CreateServerForm.metadata),
            .given("preserve_ephemeral", \.keepsEphemeral, Nova.flag),
            .optional("OS-DCF:diskConfig", \.diskConfig, CreateServerForm.diskConfig),
            .optional("accessIPv4", \.accessIPv4, .text(0...Int.max, .ipv4)),
            .optional("accessIPv6", \.accessIPv6, CreateServerForm.ipv6),
            .given("personality", \.hasFiles, CreateServerForm.files.map { files, _ in !files.isEmpty }, until: 56),
            .optional("description", \.description, CreateServerForm.description, since: 19),
            .nullable("key_name", \.keyName, CreateServerForm.name, since: 54),
            .nullable("user_data", \.userData, .text(0...65_535, .base64), since: 57),
            .nullable("trusted_image_certificates", \.certificates, CreateServerForm.certificates, since: 63)
        ] + CreateServerForm.hostname(\.hostname))
}
