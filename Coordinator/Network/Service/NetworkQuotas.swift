import CoordinatorPlatform
import ProtocolModel

/// What projects may have of this slice's resources, with Neutron's names and defaults.
enum NetworkQuotas {
    static let ledger = QuotaLedger(
        service: "network",
        [
            resource("network", 100, NetworkRecord.table), resource("subnet", 100, SubnetRecord.table),
            // The service ports that Skerry makes itself do not count.
            resource("port", 500, PortRecord.table, PortStore.notService),
            resource("security_group", 10, SecurityGroupRecord.table),
            resource("security_group_rule", 100, RuleRecord.table), resource("router", 10, RouterRecord.table),
            resource("floatingip", 50, FloatingIPRecord.table),
            resource("rbac_policy", 10, RBACRecord.table, SQLCondition("target <> '*'")),
            // Neutron counts none of these; but what anybody can make as often as they like has to end somewhere.
            resource("subnetpool", 100, SubnetPoolRecord.table),
            resource("address_scope", 100, AddressScopeRecord.table),
            resource("address_group", 100, AddressGroupRecord.table),
            // Of one router, so no project has any.
            QuotaLedger.Resource("router_route", defaultLimit: 30)
        ])

    private static func resource<Record>(
        _ name: String, _ limit: Int, _ table: RecordTable<Record>, _ counted: SQLCondition = .always
    ) -> QuotaLedger.Resource {
        QuotaLedger.Resource(name, defaultLimit: limit) { project, reader in
            try reader.count(table.name, .all([.project(project), counted]))
        }
    }
}

extension NetworkService {
    /// - Parameter limit: -1 for none.
    /// - Throws: ``APIError`` 404 for what is not counted.
    package func setQuota(
        _ limit: Int, of resource: String, project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        guard quotas[resource] != nil else {
            throw APIError.notFound("Unknown quota resources ['\(resource)'].", type: "QuotaResourceUnknown")
        }
        try quotas.set(limit, of: resource, for: project, in: transaction)
    }
}
