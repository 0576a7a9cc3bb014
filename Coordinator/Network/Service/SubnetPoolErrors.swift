import CoordinatorPlatform
import ProtocolModel

/// Neutron's refusals of subnet pools and address scopes (neutron-lib `exceptions`, `exceptions.address_scope`).
extension APIError {
    static func poolNotFound(_ id: String) -> Self {
        .notFound("Subnet pool \(id) could not be found.", type: "SubnetPoolNotFound")
    }
    static func scopeNotFound(_ id: String) -> Self {
        .notFound("Address scope \(id) could not be found.", type: "AddressScopeNotFound")
    }

    static let emptyPool = Self.badRequest("Empty subnet pool prefix list.", type: "EmptySubnetPoolPrefixList")
    static let mixedPool = Self.badRequest(
        "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", type: "PrefixVersionMismatch")
    static func poolBounds(_ name: String, _ length: Int, _ other: String, _ bound: Int) -> Self {
        .badRequest(
            "Illegal prefix bounds: \(name)=\(length), \(other)=\(bound).", type: "IllegalSubnetPoolPrefixBounds")
    }
    static func poolPrefixes(_ reason: String) -> Self {
        .badRequest("Illegal update to prefixes: \(reason).", type: "IllegalSubnetPoolPrefixUpdate")
    }
    static func poolUpdate(_ reason: String) -> Self {
        .badRequest("Illegal subnetpool update : \(reason).", type: "IllegalSubnetPoolUpdate")
    }
    static let poolInUse = Self.badRequest(
        "Unable to delete subnet pool: Subnet pool has existing allocations.", type: "SubnetPoolDeleteError")
    static let defaultPoolExists = Self.invalidInput(
        "A default subnetpool for this IP family has already been set. Only one default may exist per IP family")
    static let poolQuota = Self.conflict(
        "Per-project subnet pool prefix quota exceeded.", type: "SubnetPoolQuotaExceeded")
    static func prefixTooShort(_ length: Int, _ least: Int) -> Self {
        .badRequest(
            "Unable to allocate subnet with prefix length \(length), minimum allowed prefix is \(least).",
            type: "MinPrefixSubnetAllocationError")
    }
    static func prefixTooLong(_ length: Int, _ most: Int) -> Self {
        .badRequest(
            "Unable to allocate subnet with prefix length \(length), maximum allowed prefix is \(most).",
            type: "MaxPrefixSubnetAllocationError")
    }
    /// Neutron says it with 500, as if it were broken.
    static func notAllocated(_ reason: String) -> Self {
        Self(status: 503, message: "Failed to allocate subnet: \(reason).", type: "SubnetAllocationError")
    }

    static let poolAffinity = Self.badRequest(
        "Subnets hosted on the same network must be allocated from the same subnet pool.",
        type: "NetworkSubnetPoolAffinityError")
    static let scopeAffinity = Self.badRequest(
        "Subnets of the same address family hosted on the same network must all participate in the same address scope.",
        type: "NetworkAddressScopeAffinityError")
    static let scopeConflict = Self.conflict(
        "Failed to associate address scope: subnetpools within an address scope must have unique prefixes.",
        type: "AddressScopePrefixConflict")
    static func scopeFamily(_ pool: SubnetPoolID, _ scope: AddressScopeRecord) -> Self {
        .badRequest(
            "Illegal subnetpool association: subnetpool \(pool) cannot associate with address scope \(scope.id) because "
                + "subnetpool ip_version is not \(scope.family.rawValue).",
            type: "IllegalSubnetPoolIpVersionAssociationToAddressScope")
    }
    static func scopeInUse(_ id: AddressScopeID) -> Self {
        .conflict(
            "Unable to complete operation on address scope \(id). There are one or more subnet pools in use on the "
                + "address scope.", type: "AddressScopeInUse")
    }
    static func scopeStaysShared(_ id: AddressScopeID) -> Self {
        .badRequest(
            "Unable to update address scope \(id) : Shared address scope can't be unshared.",
            type: "AddressScopeUpdateError")
    }
}
