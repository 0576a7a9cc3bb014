import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/{networks,subnets,subnetpools,ports,security-groups,address-groups,routers,floatingips,policies}/{id}/tags`.
struct NetworkTagRoutes: Sendable {
    let service: NetworkService

    var routes: [Route] {
        routes(NetworkRoutes.names, service.networkListing, \.id)
            + routes(SubnetRoutes.names, service.subnetListing, \.id)
            + routes(SubnetPoolRoutes.names, service.poolListing, \.id)
            + routes(AddressGroupRoutes.names, service.addressGroupListing, \.id)
            + routes(PortRoutes.names, service.portListing, \.id)
            + routes(SecurityGroupRoutes.names, service.groupListing, \.id)
            + routes(RouterRoutes.names, service.routerListing, \.id)
            + routes(FloatingIPRoutes.names, service.floatingIPListing, \.id)
            + routes(QoSRoutes.taggedNames, service.qosListing, \.id)
    }

    private func routes<Record: StandardRecord, Resource>(
        _ names: ResourceNames, _ listing: Listing<Record>,
        _ id: any KeyPath<Record, Identifier<Resource>> & Sendable
    ) -> [Route] {
        TagRoutes<Resource, ProjectID>(
            path: "\(names.path)/{id}", action: "network.tag", tags: service.tags,
            rules: .init(
                list: "get_tags", show: "get_tags", replace: "update_tags", add: "update_tags",
                remove: "update_tags", clear: "update_tags"),
            wording: Self.wording(),
            find: { call, rule, reader in
                let viewer = try call.viewer()
                if rule == "get_tags" { try call.authorize(rule, project: viewer.project) }
                let record = try listing.record(call.parameter("id"), viewer: viewer, in: reader)
                if rule != "get_tags" { try call.authorize(rule, project: record.project) }
                return (record[keyPath: id], record.project)
            }
        ).routes
    }

    private static func wording<Resource>() -> TagRoutes<Resource, ProjectID>.Wording {
        .init(
            tag: TextRule(.sentence("a tag has 1 to 255 characters and no comma")) { !$0.contains(",") },
            length: 1...255,
            invalid: { tag in
                .http(
                    "Invalid input for tags. Reason: '\(tag)' is not a valid tag: it has 1 to 255 characters and no "
                        + "comma.")
            },
            missing: { tag, _ in .notFound("Tag \(tag) could not be found.", type: "TagNotFound") },
            tooMany: .http("Invalid input for tags. Reason: there are more than \(TagSet.most)."),
            repeated: { tags in
                .badRequest(
                    "Invalid input for operation: Duplicate items in the list: '\(tags.joined(separator: ", "))'.",
                    type: "InvalidInput")
            },
            body: Neutron.bodyWords, added: { _, _, _ in .empty(201) })
    }
}
