import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let endpoints = ResourceKind<Endpoint>(
        singular: "endpoint", plural: "endpoints", filters: ["interface", "service_id", "region_id", "region"],
        all: { Array($0.endpoints.values) }, find: { $0.endpoints[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, state in
            guard let interface = try fields.optionalChoice("interface", of: interfaces) else {
                throw fields.missing("interface")
            }
            let service = try fields.string("service_id")
            try requireService(service, state)
            return Endpoint(
                key: newKey(), service: service, interface: interface, region: try region(fields, state).flatMap { $0 },
                url: try url(fields) ?? fields.string("url"), isEnabled: try fields.optionalBool("enabled") ?? true,
                extra: try endpointExtra(fields, over: [:]))
        },
        change: { endpoint, fields, _, state in
            if let interface = try fields.optionalChoice("interface", of: interfaces) { endpoint.interface = interface }
            if let service = try fields.optionalString("service_id") {
                try requireService(service, state)
                endpoint.service = service
            }
            if let region = try region(fields, state) { endpoint.region = region }
            if let url = try url(fields) { endpoint.url = url }
            if let enabled = try fields.optionalBool("enabled") { endpoint.isEnabled = enabled }
            endpoint.extra = try endpointExtra(fields, over: endpoint.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) },
        beforeWrite: addRegion)

    private static let interfaces = ["admin", "internal", "public"]
    private static let endpointMembers: Set<String> = [
        "interface", "service_id", "region_id", "region", "url", "enabled"
    ]

    private static func endpointExtra(_ fields: Fields, over old: [String: JSON]) throws -> [String: JSON] {
        _ = try fields.optionalString("name")
        _ = try fields.nullableString("description")
        return extra(fields, known: endpointMembers, over: old)
    }

    private static func requireService(_ key: String, _ state: IdentityState) throws(APIError) {
        guard state.services[key] != nil else { throw expecting("endpoint service_id", in: "service table") }
    }

    /// Keystone's refusal of a reference that leads nowhere.
    static func expecting(_ attribute: String, in target: String) -> APIError {
        .badRequest(
            """
            Expecting to find \(attribute) in \(target). The server could not comply with the request since it is \
            either malformed or otherwise incorrect. The client is assumed to be in error.
            """)
    }

    /// At most 225 characters, with a scheme; what stands in `$(...)s` or `%(...)s` must be known.
    private static func url(_ fields: Fields) throws -> String? {
        guard let url = try fields.optionalString("url", length: 0...225) else { return nil }
        let scheme = url.prefix { $0 != ":" }
        let isLike =
            !scheme.isEmpty && scheme.utf8.count < url.utf8.count - 1
            && scheme.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard isLike else {
            throw fields.invalid(
                "url", .string(url), "\(JSON.string(url).pythonQuoted) does not match '^[a-zA-Z0-9+.-]+:.+'")
        }
        guard EndpointURL.hasKnownNames(url) else {
            throw APIError.badRequest("Cannot create an endpoint with an invalid URL: \(url).")
        }
        return url
    }

    /// `nil` where nothing is said of it. `region_id` must exist; the older `region` is made where it does not.
    private static func region(_ fields: Fields, _ state: IdentityState) throws -> String?? {
        if let given = try fields.nullableString("region_id", length: 0...255), let key = given {
            guard state.regions[key] != nil else { throw expecting("endpoint region_id", in: "region table") }
            return .some(key)
        }
        guard let given = try fields.nullableString("region", length: 0...255) else {
            return fields.has("region_id") ? .some(nil) : nil
        }
        return .some(given.flatMap { $0.isEmpty ? nil : $0 })
    }

    @Sendable private static func addRegion(
        _ endpoint: Endpoint, _ transaction: any SQLTransaction
    ) throws -> @Sendable (inout IdentityState) -> Void {
        guard let key = endpoint.region, try !ResourceStore.hasRegion(key, in: transaction) else { return { _ in } }
        let region = Region(key: key, parent: nil)
        try region.insert(in: transaction)
        return { $0.put(region) }
    }

    static let endpointGroups = ResourceKind<EndpointGroup>(
        singular: "endpoint_group", plural: "endpoint_groups", filters: ["name"],
        all: { Array($0.resources.filter.groups.values) }, find: { $0.resources.filter.groups[$1] },
        render: { $0.rendered }, target: { _ in Policy.Target() },
        make: { fields, _, _ in
            try fields.allow(only: endpointGroupMembers)
            let name = try name(fields)
            guard let filters = try filters(fields) else { throw fields.missing("filters") }
            return EndpointGroup(
                key: newKey(), name: name, description: try fields.nullableString("description").flatMap { $0 },
                filters: filters)
        },
        change: { group, fields, _, _ in
            try fields.allow(only: endpointGroupMembers)
            if let name = try changedName(fields) { group.name = name }
            if let description = try fields.nullableString("description") { group.description = description }
            if let filters = try filters(fields) { group.filters = filters }
        },
        checkDelete: { _, _ in },
        put: { state, group in state.changeResources { $0.filter.put(group) } },
        remove: { state, group in state.changeResources { $0.filter.remove(group) } },
        place: "OS-EP-FILTER/", title: { "Endpoint Group: \($0)" })

    private static let endpointGroupMembers: Set<String> = ["id", "name", "description", "filters"]

    private static func filters(_ fields: Fields) throws -> [String: JSON]? {
        guard let filters = try fields.optionalObject("filters") else { return nil }
        guard !filters.members.isEmpty else {
            throw APIError.badRequest("filters field is required and cannot be empty")
        }
        _ = try filters.optionalChoice("interface", of: interfaces)
        _ = try filters.optionalString("service_id")
        _ = try filters.nullableString("region_id")
        let known: Set<String> = ["service_id", "region_id", "interface"]
        guard filters.members.keys.allSatisfy(known.contains) else {
            throw expecting("service_id or region_id or interface", in: "endpoint_group")
        }
        return filters.members
    }
}

/// The names that an endpoint's URL may ask for.
enum EndpointURL {
    static let names: Set<String> = ["project_id", "tenant_id", "user_id", "compute_host", "public_endpoint"]

    /// Whether each `$(name)s` and `%(name)s` is closed and known.
    static func hasKnownNames(_ url: String) -> Bool {
        var rest = url[...]
        while let mark = rest.firstIndex(where: { $0 == "%" || $0 == "$" }) {
            let sign = rest[mark]
            rest = rest[rest.index(after: mark)...]
            guard rest.first == "(" else {
                guard sign == "%" else { continue }
                // Doubled, it stands for itself.
                guard rest.first == "%" else { return false }
                rest.removeFirst()
                continue
            }
            guard let end = rest.firstIndex(of: ")"), names.contains(String(rest[..<end].dropFirst())) else {
                return false
            }
            rest = rest[rest.index(after: end)...]
            guard rest.first == "s" else { return false }
            rest.removeFirst()
        }
        return true
    }
}
