import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/address-groups`.
struct AddressGroupRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "address_group", "address_groups", path: "/v2.0/address-groups", action: "network.address_group")

    /// As many at once as a group may have.
    private static let addresses = BodyFormat.list(
        of: Form.prefix, most: NetworkService.mostAddresses, isUnique: true
    ).nullable.map { items, _ in items ?? [] }

    private static let bodies = ResourceBodies<AddressGroupDraft>(
        "address_group", blank: AddressGroupDraft(project: .blank),
        shared: [
            .optional("name", \.draft.name, Form.text), .optional("description", \.draft.description, Form.text)
        ], fixed: [.given("addresses", \.draft.prefixes, addresses)], shown: [])

    var routes: [Route] {
        let listing = service.addressGroupListing
        var resource = ResourceRoutes<Listed<AddressGroupRecord>, AddressGroupDraft, AddressGroupDraft>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.addressGroup(item)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            try call.authorize("create_address_group", project: draft.project)
            let id = try service.createAddressGroup(draft, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: call.viewer(), in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try call.authorize("update_address_group", project: item.record.project)
            try service.updateAddressGroup(item.record.id, wanted, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_address_group", project: item.record.project)
            try service.deleteAddressGroup(item.record.id, in: transaction)
        }
        return resource.routes + [
            changing("add_addresses") { try service.addAddresses($0, to: $1, at: $2, in: $3) },
            changing("remove_addresses") { try service.removeAddresses($0, from: $1, at: $2, in: $3) }
        ]
    }

    private struct Sent: Sendable {
        var addresses: [IPPrefix] = []
    }

    private static let body = BodySchema<Sent>(
        blank: Sent(), [.required("addresses", \.addresses, addresses)])

    private func changing(
        _ rule: String,
        _ change: @escaping @Sendable ([IPPrefix], AddressGroupID, Int64, any SQLTransaction) throws -> Void
    ) -> Route {
        Route(.put, "\(Self.names.path)/{id}/\(rule)", action: "network.address_group.\(rule)") { call in
            let wanted = try Self.body.read(try await call.json(), wording: Neutron.bodyWords).addresses
            let id = call.parameter("id")
            let listing = service.addressGroupListing
            do {
                let item = try await call.write(target: { _ in id }) { transaction in
                    let viewer = try call.viewer()
                    let group = try listing.record(id, viewer: viewer, in: transaction)
                    try call.authorize(rule, project: group.project)
                    try change(wanted, group.id, call.now, transaction)
                    return try listing.find(id, viewer: viewer, in: transaction)
                }
                return .json(["address_group": .object(View.addressGroup(item))])
            } catch { throw Neutron.refused(error) }
        }.asking(rule)
    }
}

extension View {
    static func addressGroup(_ item: Listed<AddressGroupRecord>) -> Members {
        let group = item.record
        var view = standard(group.standard, group.project, item.tags)
        view["id"] = JSON(group.id.text)
        view["addresses"] = .array(group.prefixes.map { JSON($0.description) })
        return view
    }
}

/// Who may do what with address groups, after Neutron's default policies.
enum AddressGroupPolicy {
    static let rules: [String: Policy.Rule] = [
        "create_address_group": .projectMember, "get_address_group": .projectReader,
        "update_address_group": .projectMember, "delete_address_group": .projectMember,
        "add_addresses": .projectMember, "remove_addresses": .projectMember
    ]
}

/// What the API can do with them, as neutron-lib names it.
extension APIExtension {
    static let addressGroups = [
        APIExtension("address-group", "Address group", "Support address group", "2020-07-15T10:00:00-00:00"),
        APIExtension(
            "security-groups-remote-address-group", "Remote address group id field for security group rules",
            "Add new field of remote address group id in SG rules", "2020-08-25T10:00:00-00:00")
    ]
}
