import CoordinatorPlatform
import ProtocolModel

extension PortForwardingRecord: TableRecord {
    static let blank = PortForwardingRecord(
        id: .blank, floatingIP: .blank, protocolName: "", externalPort: 0, port: .blank, address: .blank,
        internalPort: 0)
    static let table = RecordTable<Self>("network_port_forwardings", alias: "w")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("floating_ip_id", &floatingIP, .fixed)
        try column("description", &description)
        try column("protocol", &protocolName)
        try column("external_port", &externalPort)
        try column("port_id", &port)
        try column("internal_address", &address)
        try column("internal_port", &internalPort)
    }
}

struct PortForwardingStore: Sendable {
    let table = PortForwardingRecord.table

    /// In order of creation.
    func ofFloatingIPs(_ ids: [FloatingIPID], in reader: any SQLReader) throws -> [PortForwardingRecord] {
        try reader.inPieces(ids) { try table.all(where: .in("w.floating_ip_id", Array($0)), in: reader) }
    }

    func ofPort(_ port: PortID, in reader: any SQLReader) throws -> [PortForwardingRecord] {
        try table.all(where: .equal("w.port_id", port), in: reader)
    }

    /// Where they lead to.
    func targets(of ids: [FloatingIPID], in reader: any SQLReader) throws -> [(PortID, IPAddress)] {
        try ofFloatingIPs(ids, in: reader).map { ($0.port, $0.address) }
    }
}
