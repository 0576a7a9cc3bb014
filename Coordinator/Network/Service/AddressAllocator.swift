import CoordinatorPlatform
import ProtocolModel

/// Gives addresses to ports.
///
/// Each pool keeps a hint of where to look next, behind the address given last. Addresses are thus not given again soon
/// after they came back, and a search costs a look at the next few rows, however many are in use.
struct AddressAllocator: Sendable {
    let addresses = AddressStore()

    /// How many rows one look reads.
    private static let window = 64
    /// How often a race for an address may be lost before the transaction gives up.
    private static let tries = 16

    /// Takes any free address of the subnet's pools.
    /// - Returns: `nil` when none is left.
    func takeAny(
        of subnet: SubnetRecord, for port: PortID, in transaction: any SQLTransaction
    ) throws -> PortSpec.FixedIP? {
        for _ in 0..<Self.tries {
            guard let (address, pool) = try free(in: subnet, transaction) else { return nil }
            let next = address < pool.range.last ? address.advanced(by: 1) ?? pool.range.first : pool.range.first
            try addresses.setNext(next, of: pool, in: transaction)
            if try addresses.take(
                address, subnet: subnet.id, network: subnet.network, port: port, in: transaction)
            {
                return PortSpec.FixedIP(subnet: subnet.id, address: address)
            }
        }
        throw StoreError.stale("addresses of subnet \(subnet.id)")
    }

    /// - Throws: ``AddressRefusal/inUse(_:_:)``
    func take(
        _ address: IPAddress, of subnet: SubnetRecord, for port: PortID, in transaction: any SQLTransaction
    ) throws -> PortSpec.FixedIP {
        guard
            try addresses.take(address, subnet: subnet.id, network: subnet.network, port: port, in: transaction)
        else { throw AddressRefusal.inUse(address, subnet.id) }
        return PortSpec.FixedIP(subnet: subnet.id, address: address)
    }

    private func free(
        in subnet: SubnetRecord, _ reader: any SQLReader
    ) throws -> (address: IPAddress, pool: PoolRecord)? {
        for pool in try addresses.pools(of: subnet.id, in: reader) {
            let next = pool.range.contains(pool.next) ? pool.next : pool.range.first
            if let address = try free(in: AddressRange(first: next, last: pool.range.last), subnet.id, reader) {
                return (address, pool)
            }
            guard next > pool.range.first, let before = next.advanced(by: -1) else { continue }
            if let address = try free(in: AddressRange(first: pool.range.first, last: before), subnet.id, reader) {
                return (address, pool)
            }
        }
        return nil
    }

    /// The lowest address of the range that no port has.
    private func free(in range: AddressRange, _ subnet: SubnetID, _ reader: any SQLReader) throws -> IPAddress? {
        var candidate = range.first
        while true {
            let used = try addresses.used(
                AddressRange(first: candidate, last: range.last), of: subnet, limit: Self.window, in: reader)
            for address in used {
                guard address == candidate else { return candidate }
                guard candidate < range.last, let next = candidate.advanced(by: 1) else { return nil }
                candidate = next
            }
            if used.count < Self.window { return candidate }
        }
    }
}
