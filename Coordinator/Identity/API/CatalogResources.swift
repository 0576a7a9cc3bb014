import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let regions = ResourceKind<Region>(
        singular: "region", plural: "regions", filters: ["parent_region_id"],
        all: { Array($0.regions.values) }, find: { $0.regions[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, state in
            let parent = try fields.nullableString("parent_region_id").flatMap { $0 }
            if let parent, state.regions[parent] == nil { throw IdentityAPI.notFound("region", parent) }
            let key = try fields.optionalString("id", length: 0...255) ?? ""
            return Region(
                key: key.isEmpty ? newKey() : key,
                description: try fields.nullableString("description").flatMap { $0 } ?? "", parent: parent,
                extra: extra(fields, known: regionMembers))
        },
        change: { region, fields, _, state in
            if let description = try fields.nullableString("description") { region.description = description ?? "" }
            if let parent = try fields.nullableString("parent_region_id") {
                if let parent, state.regions[parent] == nil { throw IdentityAPI.notFound("region", parent) }
                region.parent = parent
            }
            region.extra = extra(fields, known: regionMembers, over: region.extra)
        },
        checkDelete: { region, state in
            guard !state.regions.values.contains(where: { $0.parent == region.key }),
                !state.endpoints.values.contains(where: { $0.region == region.key })
            else {
                throw APIError.forbidden(
                    "Unable to delete region \(region.key) because it or its child regions have associated endpoints.")
            }
        },
        put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let regionMembers: Set<String> = ["description", "parent_region_id"]

    static let catalogServices = ResourceKind<CatalogService>(
        singular: "service", plural: "services", filters: ["type", "name"],
        all: { Array($0.services.values) }, find: { $0.services[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, _ in
            CatalogService(
                key: newKey(), type: try fields.string("type", length: 1...255),
                name: try fields.optionalString("name", length: 0...255) ?? "",
                description: try fields.nullableString("description").flatMap { $0 },
                isEnabled: try fields.optionalBool("enabled") ?? true, extra: extra(fields, known: serviceMembers))
        },
        change: { service, fields, _, _ in
            if let type = try fields.optionalString("type", length: 1...255) { service.type = type }
            if let name = try fields.optionalString("name", length: 0...255) { service.name = name }
            if let description = try fields.nullableString("description") { service.description = description }
            if let enabled = try fields.optionalBool("enabled") { service.isEnabled = enabled }
            service.extra = extra(fields, known: serviceMembers, over: service.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let serviceMembers: Set<String> = ["type", "name", "description", "enabled"]

    static let endpoints = ResourceKind<Endpoint>(
        singular: "endpoint", plural: "endpoints", filters: ["interface", "service_id", "region_id", "region"],
        all: { Array($0.endpoints.values) }, find: { $0.endpoints[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, state in
            guard let interface = try fields.optionalChoice("interface", of: interfaces) else {
                throw fields.missing("interface")
            }
            let service = try fields.string("service_id")
            guard state.services[service] != nil else {
                throw APIError.badRequest("Could not find service: \(service).")
            }
            return Endpoint(
                key: newKey(), service: service, interface: interface, region: try region(fields, state).flatMap { $0 },
                url: try fields.string("url", length: 1...2048), isEnabled: try fields.optionalBool("enabled") ?? true,
                extra: extra(fields, known: endpointMembers))
        },
        change: { endpoint, fields, _, state in
            if let interface = try fields.optionalChoice("interface", of: interfaces) { endpoint.interface = interface }
            if let service = try fields.optionalString("service_id") {
                guard state.services[service] != nil else {
                    throw APIError.badRequest("Could not find service: \(service).")
                }
                endpoint.service = service
            }
            if let region = try region(fields, state) { endpoint.region = region }
            if let url = try fields.optionalString("url", length: 1...2048) { endpoint.url = url }
            if let enabled = try fields.optionalBool("enabled") { endpoint.isEnabled = enabled }
            endpoint.extra = extra(fields, known: endpointMembers, over: endpoint.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let interfaces = ["public", "internal", "admin"]
    private static let endpointMembers: Set<String> = [
        "interface", "service_id", "region_id", "region", "url", "enabled"
    ]

    /// `nil` where nothing is said of it.
    private static func region(_ fields: Fields, _ state: IdentityState) throws -> String?? {
        guard let given = try fields.nullableString("region_id") ?? fields.nullableString("region") else { return nil }
        if let given, state.regions[given] == nil { throw APIError.badRequest("Could not find region: \(given).") }
        return .some(given)
    }
}
