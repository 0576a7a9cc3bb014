import CoordinatorPlatform
import ProtocolModel

extension NetworkService {
    /// Limits of a project, own or default, by Neutron's resource names.
    func limits(of project: ProjectID, in reader: any SQLReader) throws -> [(resource: QuotaResource, limit: Int)] {
        let own = try quotas.limits(of: project, in: reader)
        return QuotaResource.allCases.map { ($0, own[$0.rawValue] ?? $0.defaultLimit) }
    }

    /// - Parameter limit: -1 for none.
    package func setQuota(
        _ limit: Int, of resource: String, project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        guard QuotaResource(rawValue: resource) != nil else {
            throw APIError.notFound("Unknown quota resources ['\(resource)'].", type: "QuotaResourceUnknown")
        }
        try quotas.set(limit, of: resource, project: project, in: transaction)
    }

    /// A port's addresses, in their order.
    package func fixedAddresses(of port: PortID, in reader: any SQLReader) throws -> [IPAddress] {
        try addresses.fixedIPs(of: [port], in: reader)[port]?.map(\.address) ?? []
    }
}
