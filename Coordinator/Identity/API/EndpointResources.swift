import CoordinatorPlatform
import ProtocolModel

extension IdentityKinds {
    static let endpoints = IdentityKind<Endpoint>(
        names: IdentityKind<Endpoint>.names("endpoint", "endpoints"),
        filters: ["interface", "service_id", "region_id", "region"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("interface", \.interface, .word(of: interfaces)),
                .required("service_id", \.service, .text()), .required("url", \.url, url),
                .given("enabled", \.isEnabled, .flag), .checked("region_id", .textOrNull(0...255)),
                .checked("region", .textOrNull(0...255)), .kept("name", .text()),
                .kept("description", .textOrNull())
            ]),
        complete: { endpoint, old, input in
            endpoint.key = old?.key ?? newKey()
            // A change is not refused for what it leaves as it was.
            guard endpoint.service == old?.service || input.state.services[endpoint.service] != nil else {
                throw Keystone.expecting("endpoint service_id", in: "service table")
            }
            guard endpoint.url == old?.url || EndpointURL.hasKnownNames(endpoint.url) else {
                throw APIError.badRequest("Cannot create an endpoint with an invalid URL: \(endpoint.url).")
            }
            // `region_id` must exist; the older `region` is made where it does not.
            if let key = input.members["region_id"]?.stringValue {
                guard input.state.regions[key] != nil else {
                    throw Keystone.expecting("endpoint region_id", in: "region table")
                }
                endpoint.region = key
            } else if let given = input.members["region"] ?? input.members["region_id"] {
                endpoint.region = given.stringValue.flatMap { $0.isEmpty ? nil : $0 }
            }
        },
        beforeWrite: { endpoint, edit in
            guard let key = endpoint.region, edit.state.regions[key] == nil else { return }
            try edit.insert(Region(key: key, parent: nil))
        })

    private static let interfaces = ["admin", "internal", "public"]

    /// At most 225 characters, with a scheme.
    private static let url = BodyFormat<String>.text(
        0...225,
        TextRule(.pattern("^[a-zA-Z0-9+.-]+:.+")) { url in
            let scheme = url.prefix { $0 != ":" }
            return !scheme.isEmpty && scheme.utf8.count < url.utf8.count - 1
                && scheme.utf8.allSatisfy { $0.isWord(beside: "+.-") }
        })

    static let endpointGroups = IdentityKind<EndpointGroup>(
        names: IdentityKind<EndpointGroup>.names("endpoint_group", "endpoint_groups", place: "OS-EP-FILTER/"),
        filters: ["name"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank,
            [
                .required("name", \.name, .identityName()), .given("description", \.description, .textOrNull()),
                .required("filters", \.filters, .members), .checked("id", .any)
            ]),
        complete: { group, old, _ in
            group.key = old?.key ?? newKey()
            if group.filters != old?.filters { try checkFilters(group.filters) }
        },
        title: { "Endpoint Group: \($0)" })

    private static let groupFilters = BodySchema<[String: JSON]>(
        blank: [:], unknown: .kept(\.self),
        [
            .checked("interface", BodyFormat.word(of: interfaces)), .checked("service_id", BodyFormat<String>.text()),
            .checked("region_id", .textOrNull())
        ])

    private static func checkFilters(_ filters: [String: JSON]) throws {
        guard !filters.isEmpty else { throw APIError.badRequest("filters field is required and cannot be empty") }
        let others: [String: JSON]
        do throws(BodyFailure) { others = try groupFilters.read(.object(filters), Microversion(0, 0)) } catch {
            throw Keystone.body(error.below("filters"))
        }
        guard others.isEmpty else {
            throw Keystone.expecting("service_id or region_id or interface", in: "endpoint_group")
        }
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
