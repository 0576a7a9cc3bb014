import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/address-scopes`.
struct AddressScopeRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "address_scope", "address_scopes", path: "/v2.0/address-scopes", action: "network.address_scope")

    private static let bodies = ResourceBodies<AddressScopeDraft>(
        "address_scope", blank: AddressScopeDraft(project: .blank, family: .ipv4),
        shared: [
            .optional("name", \.draft.name, Form.text), .optional("shared", \.draft.isShared, Form.flag)
        ], fixed: [.required("ip_version", \.draft.family, SubnetRoutes.family)], shown: [])

    var routes: [Route] {
        let listing = service.scopeListing
        var resource = ResourceRoutes<Listed<AddressScopeRecord>, AddressScopeDraft, AddressScopeDraft>(
            Self.names, listing, view: { ($0.record.id.text, View.scope($0, $1)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            try call.authorize("create_address_scope", project: draft.project)
            if draft.isShared == true { try call.authorize("create_address_scope:shared", project: draft.project) }
            let id = try service.createScope(draft, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: call.viewer(), in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try call.authorize("update_address_scope", project: item.record.project)
            if wanted.isShared != nil {
                try call.authorize("update_address_scope:shared", project: item.record.project)
            }
            try service.updateScope(item.record.id, wanted, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_address_scope", project: item.record.project)
            try service.deleteScope(item.record.id, in: transaction)
        }
        return resource.routes
    }
}

extension View {
    static func scope(_ item: Listed<AddressScopeRecord>, _ call: APICall) -> Members {
        let scope = item.record
        let owner = JSON(scope.project.compact)
        return [
            "id": JSON(scope.id.text), "name": JSON(scope.standard.name), "tenant_id": owner, "project_id": owner,
            "ip_version": JSON(scope.family.rawValue), "shared": JSON(item.isShared(with: call))
        ]
    }
}
