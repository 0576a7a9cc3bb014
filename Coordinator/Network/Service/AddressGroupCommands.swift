import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call says of an address group; `nil` where it says nothing.
package struct AddressGroupDraft: Sendable {
    package var project: ProjectID
    package var name: String?
    package var description: String?
    package var prefixes: [IPPrefix] = []

    package init(project: ProjectID, name: String? = nil, prefixes: [IPPrefix] = []) {
        self.project = project
        self.name = name
        self.prefixes = prefixes
    }
}

extension NetworkService {
    /// Addresses that one group may have: hosts are told all of them with each security group that names it.
    package static let mostAddresses = 1024

    var addressGroupListing: Listing<AddressGroupRecord> {
        Listing(
            schema: .addressGroups, visible: { $0.visibleAddressGroups },
            complete: { try tagged(try addressGroups.complete($0, in: $1), \.id, in: $1) },
            missing: APIError.addressGroupNotFound)
    }

    package func createAddressGroup(
        _ draft: AddressGroupDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> AddressGroupID {
        try quotas.claim("address_group", for: draft.project, in: transaction)
        let standard = Standard(name: draft.name ?? "", description: draft.description ?? "", createdAt: now)
        let group = AddressGroupRecord(id: newID(), project: draft.project, standard: standard)
        try addressGroups.table.insert(group, in: transaction)
        let prefixes = Self.distinct(draft.prefixes)
        try checkCount(prefixes.count)
        try addressGroups.add(prefixes, to: group.id, in: transaction)
        return group.id
    }

    package func updateAddressGroup(
        _ id: AddressGroupID, _ change: AddressGroupDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var group = try addressGroups.table.find(id, in: transaction) else {
            throw APIError.addressGroupNotFound(id.text)
        }
        group.standard.name = change.name ?? group.standard.name
        group.standard.description = change.description ?? group.standard.description
        try addressGroups.table.update(group, at: now, in: transaction)
    }

    package func deleteAddressGroup(_ id: AddressGroupID, in transaction: any SQLTransaction) throws {
        if try addressGroups.isUsed(id, in: transaction) {
            throw APIError.conflict(
                "Address group \(id) is in use on one or more security group rules.", type: "AddressGroupInUse")
        }
        try addressGroups.table.remove(id, in: transaction)
    }

    package func addAddresses(
        _ prefixes: [IPPrefix], to id: AddressGroupID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let wanted = Self.distinct(prefixes)
        let known = try addressGroups.prefixes(of: [id], in: transaction)[id] ?? []
        let present = wanted.filter(Set(known).contains)
        guard present.isEmpty else {
            throw APIError.badRequest(
                "Addresses \(Self.text(present)) already exist in the address group \(id).",
                type: "AddressesAlreadyExist")
        }
        try checkCount(known.count + wanted.count)
        try addressGroups.add(wanted, to: id, in: transaction)
        try addressesChanged(of: id, at: now, in: transaction)
    }

    package func removeAddresses(
        _ prefixes: [IPPrefix], from id: AddressGroupID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let wanted = Self.distinct(prefixes)
        let known = Set(try addressGroups.prefixes(of: [id], in: transaction)[id] ?? [])
        let missing = wanted.filter { !known.contains($0) }
        guard missing.isEmpty else {
            throw APIError.notFound(
                "Addresses \(Self.text(missing)) not found in the address group \(id).", type: "AddressesNotFound")
        }
        try addressGroups.remove(wanted, from: id, in: transaction)
        try addressesChanged(of: id, at: now, in: transaction)
    }

    /// The hosts of the security groups that name it hear of it, as far as they can be told.
    private func addressesChanged(of id: AddressGroupID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let group = try addressGroups.table.find(id, in: transaction) else {
            throw APIError.addressGroupNotFound(id.text)
        }
        try addressGroups.table.update(group, at: now, in: transaction)
        for referrer in try addressGroups.referrers(to: id, in: transaction) {
            try checkSize(of: referrer, in: transaction)
            try plan.touch(.securityGroup(referrer), in: transaction)
        }
    }

    /// What rules mean by the address groups that they name.
    func addressGroups(
        of rules: [RuleRecord], in reader: any SQLReader
    ) throws -> [SecurityGroupSpec.AddressGroup] {
        let named = Set(rules.compactMap(\.remoteAddresses)).sorted()
        guard !named.isEmpty else { return [] }
        let prefixes = try addressGroups.prefixes(of: named, in: reader)
        return named.map { SecurityGroupSpec.AddressGroup(id: $0, prefixes: (prefixes[$0] ?? []).sorted()) }
    }

    /// What the hosts of the security group are told of address groups.
    package func tellsAddresses(
        of group: SecurityGroupID, in reader: any SQLReader
    ) throws -> [SecurityGroupSpec.AddressGroup] {
        try addressGroups(of: rules.rules(of: [group], in: reader)[group] ?? [], in: reader)
    }

    private func checkCount(_ count: Int) throws {
        guard count > Self.mostAddresses else { return }
        throw APIError.http(
            "Invalid input for addresses. Reason: an address group has at most \(Self.mostAddresses) addresses.")
    }

    private static func distinct(_ prefixes: [IPPrefix]) -> [IPPrefix] {
        var seen: Set<IPPrefix> = []
        return prefixes.filter { seen.insert($0).inserted }
    }

    private static func text(_ prefixes: [IPPrefix]) -> String {
        "[\(prefixes.map { "'\($0)'" }.joined(separator: ", "))]"
    }
}

extension APIError {
    static func addressGroupNotFound(_ id: String) -> Self {
        .notFound("Address group \(id) could not be found.", type: "AddressGroupNotFound")
    }
}
