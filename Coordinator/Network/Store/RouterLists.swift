import CoordinatorPlatform
import ProtocolModel

/// The attributes of routers and floating IPs that list calls filter and sort by.
extension ListSchema {
    static let routers = standard(
        RouterRecord.table,
        [
            "admin_state_up": Column("r.admin_state_up", .flag), "status": Column("COALESCE('ACTIVE', '')")
        ])

    static let floatingIPs = standard(
        FloatingIPRecord.table, hasName: false,
        [
            "floating_ip_address": Column("f.address"), "floating_network_id": Column("f.network_id", .identifier),
            "router_id": Column("f.router_id", .identifier, isNullable: true),
            "port_id": Column("f.port_id", .identifier, isNullable: true),
            "fixed_ip_address": Column("f.fixed_address", isNullable: true), "status": Column("f.status")
        ])
}
