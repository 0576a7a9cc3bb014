import CoordinatorPlatform
import ProtocolModel

/// The actions that change a server's size, and what is said of it afterwards; deleted servers that come back.
extension ServerActionRoutes {
    static let resizing: [String: Action] = [
        "resize": { routes, call, argument in
            let wish = try Nova.read(argument, resize.format(), under: "resize")
            return try await routes.write(call) {
                try $0.resize($1, to: wish.flavor, diskConfig: wish.diskConfig, origin: $2, in: $3)
            }
        },
        "confirmResize": { routes, call, _ in
            _ = try await routes.write(call) { try $0.confirmResize($1, origin: $2, in: $3) }
            return .empty(204)
        },
        "revertResize": { routes, call, _ in
            try await routes.write(call) { try $0.revertResize($1, origin: $2, in: $3) }
        },
        "restore": { routes, call, _ in try await routes.write(call) { try $0.restore($1, origin: $2, in: $3) } },
        "forceDelete": { routes, call, _ in
            try await routes.write(call) { try $0.forceDelete($1, origin: $2, in: $3) }
        }
    ]

    private static let resize = BodySchema(
        blank: (flavor: "", diskConfig: String?.none),
        [
            .required("flavorRef", \.flavor, CreateServerForm.flavor),
            .optional("OS-DCF:diskConfig", \.diskConfig, CreateServerForm.diskConfig)
        ])
}
