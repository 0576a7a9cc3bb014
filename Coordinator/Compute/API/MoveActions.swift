import CoordinatorPlatform
import ProtocolModel

/// The actions that bring a server to another host.
extension ServerActionRoutes {
    static let moving: [String: Action] = [
        "evacuate": { routes, call, argument in try await routes.evacuate(call, argument) },
        "migrate": { routes, call, argument in
            let wish: String?? = try Nova.read(
                argument, migrate.format(call.microversion).nullable, under: "migrate")
            let host = wish ?? nil
            return try await routes.write(call) { try $0.migrate($1, to: host, origin: $2, in: $3) }
        },
        "os-migrateLive": { routes, call, argument in
            let wish = try Nova.read(argument, liveMigrate.format(call.microversion), under: "os-migrateLive")
            if wish.isForced, wish.host == nil {
                throw APIError.badRequest("Can't force to a non-provided destination")
            }
            return try await routes.write(call) { try $0.liveMigrate($1, to: wish.host, origin: $2, in: $3) }
        }
    ]

    private static let migrate = BodySchema(
        blank: String?.none,
        [
            .given("host", \.self, BodyFormat<String>.text(1...255, .hostnames).nullable, since: 56)
        ])

    private static let liveMigrate = BodySchema(
        blank: (host: String?.none, isForced: false, other: JSON.null),
        [
            .required("host", \.host, BodyFormat<String>.text(1...255, .hostnames).nullable),
            .required("block_migration", \.other, flag, until: 24),
            .required("disk_over_commit", \.other, flag, until: 24),
            .required("block_migration", \.other, .either([flag, automatic]), since: 25),
            .given("force", \.isForced, Nova.flag, since: 30, until: 67)
        ])
    private static let flag = Nova.flag.map { _, json in json }
    private static let automatic = BodyFormat<String>.word(of: ["auto"]).map { _, json in json }

    private struct Evacuation: Sendable {
        var host: String?
        var password: String?
        var isShared = false
        var isForced = false

        static let schema = BodySchema(
            blank: Self(),
            [
                .optional("host", \.host, .text(1...255, .hostnames)), .optional("adminPass", \.password, .text()),
                .required("onSharedStorage", \.isShared, Nova.flag, until: 13),
                .given("force", \.isForced, Nova.flag, since: 29, until: 67)
            ])
    }

    /// 200, as Nova has it; before 2.14 with the password.
    private func evacuate(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let version = call.microversion
        let wish = try Nova.read(argument, Evacuation.schema.format(version), under: "evacuate")
        if wish.isForced, wish.host == nil {
            throw APIError.badRequest("Can't force to a non-provided destination")
        }
        if wish.isShared {
            guard wish.password == nil else {
                throw APIError.badRequest("admin password can't be changed on existing disk")
            }
            // The disks of a host that is down are on that host.
            throw APIError.badRequest("Invalid state of instance files on shared storage")
        }
        let password = wish.password ?? Secrets.password()
        let command = EvacuateServer(host: wish.host, adminPassword: password, endsStopped: version.has(95))
        _ = try await write(call) { try $0.evacuate($1, command, origin: $2, in: $3) }
        return version.has(14) ? .empty(200) : .json(["adminPass": .string(password)])
    }
}

extension TextRule {
    /// Names of hosts, as the compute API takes them.
    static let hostnames = Self(.pattern("^[a-zA-Z0-9-._]*$")) { text in
        text.utf8.allSatisfy { $0.isWord(beside: "-._") }
    }
}
