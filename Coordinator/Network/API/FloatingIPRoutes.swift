import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/floatingips`.
struct FloatingIPRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "floatingip", "floatingips", path: "/v2.0/floatingips", action: "network.floatingip")

    private static let bodies = ResourceBodies<FloatingIPDraft>(
        "floatingip", blank: FloatingIPDraft(project: .blank, network: .blank),
        shared: [
            .optional("description", \.draft.change.description, Form.text),
            .nullable("port_id", \.draft.change.port, Form.id()),
            .given("fixed_ip_address", \.draft.change.fixedAddress, Form.address.nullable)
        ],
        fixed: [
            .required("floating_network_id", \.draft.network, Form.id()),
            .given("floating_ip_address", \.draft.address, Form.address.nullable),
            .given("subnet_id", \.draft.subnet, Form.id().nullable)
        ], shown: ["status", "router_id", "port_details", "port_forwardings"])

    var routes: [Route] {
        let listing = service.floatingIPListing
        var resource = ResourceRoutes<Listed<FloatingIPRecord>, FloatingIPDraft, FloatingIPDraft>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.floatingIP(item)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("create_floatingip", project: draft.project)
            if draft.address != nil {
                try call.authorize("create_floatingip:floating_ip_address", project: draft.project)
            }
            let id = try service.createFloatingIP(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("update_floatingip", project: item.record.project)
            try service.updateFloatingIP(item.record.id, wanted.change, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_floatingip", project: item.record.project)
            try service.deleteFloatingIP(item.record.id, at: call.now, in: transaction)
        }
        return resource.routes
    }
}
