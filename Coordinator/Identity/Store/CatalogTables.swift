import CoordinatorPlatform
import ProtocolModel

extension Region: StoredRecord {
    public static let blank = Region(key: "", parent: nil)
    public static let table = RecordTable<Self>("identity_regions")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("description", &description)
        try column("parent_key", &parent)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.regions.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.regions[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension CatalogService: StoredRecord {
    public static let blank = CatalogService(key: "", type: "", name: "")
    public static let table = RecordTable<Self>("identity_services")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("type", &type)
        try column("name", &name)
        try column("description", &description)
        try column("enabled", &isEnabled)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.services.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.services[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension Endpoint: StoredRecord {
    public static let blank = Endpoint(key: "", service: "", interface: "", url: "")
    public static let table = RecordTable<Self>("identity_endpoints")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("service_key", &service)
        try column("interface", &interface)
        try column("region_key", &region)
        try column("url", &url)
        try column("enabled", &isEnabled)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.endpoints.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.endpoints[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension EndpointGroup: StoredRecord {
    public static let blank = EndpointGroup(key: "", name: "", filters: [:])
    public static let table = RecordTable<Self>("identity_endpoint_groups")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("name", &name)
        try column("description", &description)
        try column.members("filters", &filters)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.resources.filter.groups.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.resources.filter.groups[key] }
    func put(in state: inout IdentityState) { state.changeResources { $0.filter.put(self) } }
    func remove(from state: inout IdentityState) { state.changeResources { $0.filter.remove(self) } }
}

extension PolicyBlob: StoredRecord {
    public static let blank = PolicyBlob(key: "", blob: .null, type: "")
    public static let table = RecordTable<Self>("identity_policies")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        var list = JSON.array([blob])
        try column("blob_json", &list)
        if column.isReading { blob = list.arrayValue?.first ?? .null }
        try column("type", &type)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.resources.policies.policies.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.resources.policies.policies[key] }
    func put(in state: inout IdentityState) { state.changeResources { $0.policies.put(self) } }
    func remove(from state: inout IdentityState) { state.changeResources { $0.policies.remove(self) } }
}

extension RegisteredLimit: StoredRecord {
    public static let blank = RegisteredLimit(key: "", service: "", region: nil, resource: "", defaultLimit: 0)
    public static let table = RecordTable<Self>("identity_registered_limits")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("service_key", &service)
        try column("region_key", &region)
        // `NULL`s do not exclude each other.
        var place = region ?? ""
        try column("unique_region", &place)
        try column("resource", &resource)
        try column("default_limit", &defaultLimit)
        try column("description", &description)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.resources.limits.registered.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.resources.limits.registered[key] }
    func put(in state: inout IdentityState) { state.changeResources { $0.limits.put(self) } }
    func remove(from state: inout IdentityState) { state.changeResources { $0.limits.remove(self) } }
}

extension ResourceLimit: StoredRecord {
    public static let blank = ResourceLimit(key: "", owner: .domain(""), registered: "", limit: 0)
    public static let table = RecordTable<Self>("identity_limits")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("registered_key", &registered)
        var project: ProjectID?, domain: String?, text: String
        switch owner {
        case .project(let id): (project, text) = (id, "project \(id.compact)")
        case .domain(let key): (domain, text) = (key, "domain \(key)")
        }
        try column.compact("project_key", &project)
        try column("domain_key", &domain)
        try column("owner", &text)
        if column.isReading { owner = project.map { .project($0) } ?? .domain(domain ?? "") }
        try column("resource_limit", &limit)
        try column("description", &description)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.resources.limits.limits.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.resources.limits.limits[key] }
    func put(in state: inout IdentityState) { state.changeResources { $0.limits.put(self) } }
    func remove(from state: inout IdentityState) { state.changeResources { $0.limits.remove(self) } }
}
